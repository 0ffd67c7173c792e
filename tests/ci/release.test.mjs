// Checks release.yml: actionlint's findings, which jobs run after which results, and its shell steps,
// which run as on GitHub.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { parse } from 'yaml'

import { Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { startWorker } from '../worker/harness/workerd.mjs'
import { runs } from './support/expression.mjs'
import { job, step } from './support/job.mjs'
import { lint, lintAction, text } from './support/lint.mjs'

const WORKFLOW = '.github/workflows/release.yml'
const workflow = parse(text(WORKFLOW))
const { jobs } = workflow
const takeBuild = parse(text('.github/actions/take-build/action.yml'))
const VARS = { STAGING_URL: 'https://staging.example.com', PRODUCTION_URL: 'https://components.example.com' }

describe('release.yml', () => {
  test('has no actionlint findings', async () => {
    assert.deepEqual(await lint(text(WORKFLOW), WORKFLOW), [])
    assert.deepEqual(await lintAction(takeBuild), [])
    const broken = text(WORKFLOW).replace('needs.build.outputs.digest', 'needs.build.outputs.diges')
    const [{ message }] = await lint(broken, WORKFLOW)
    assert.match(message, /"diges" is not defined/)
  })

  test('runs one at a time, with read-only permissions', () => {
    assert.deepEqual(workflow.permissions, { contents: 'read' })
    assert.ok(Object.values(jobs).every(({ permissions }) => permissions === undefined))
    assert.deepEqual(workflow.concurrency, { group: 'release', 'cancel-in-progress': false })
    assert.deepEqual(Object.keys(workflow.on), ['push', 'workflow_dispatch'])
    assert.deepEqual(workflow.on.push, { tags: ['v*'] })
  })

  test('passes secrets only to its own steps, and no event data to a script', () => {
    for (const [name, { env = {}, environment, steps }] of Object.entries(jobs)) {
      const secret = (value) => /secrets\./.test(JSON.stringify(value))
      assert.ok(!secret(env), name)
      const holding = steps.filter(secret)
      assert.equal(holding.length > 0, environment !== undefined, `${name}: secrets and an environment go together`)
      for (const { env: own, ...rest } of holding)
        assert.ok(rest.run && secret(own) && !secret(rest), `${name}: ${rest.name}`)
      for (const { run = '' } of steps) assert.ok(!run.includes('${{'), `${name}: ${run}`)
      const checkout = steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))
      assert.equal(checkout.with['persist-credentials'], false, name)
    }
  })

  test('builds once, and deploys what the job build has packed', () => {
    for (const [name, { steps }] of Object.entries(jobs).filter(([one]) => one !== 'build')) {
      const { with: given } = steps.find(({ uses }) => uses === './.github/actions/take-build')
      assert.deepEqual(given, { digest: '${{ needs.build.outputs.digest }}' }, name)
    }
    assert.equal(workflow.env.RESOLVER_PREBUILT, '1')
    assert.equal(jobs.build.env.RESOLVER_PREBUILT, '')
    const text = JSON.stringify(jobs)
    assert.equal(text.match(/\.ci\/run/g).length, 1)
    assert.ok(!/cargo|npm run build/.test(text))
  })

  test('needs an approval for each step, and none to roll back', () => {
    const names = Object.entries(jobs)
      .filter(([, { environment }]) => environment)
      .map(([name, { environment }]) => [name, environment.name])
    assert.deepEqual(names, [
      ['staging', 'staging'],
      ['production-0', 'production-0'],
      ['production-10', 'production-10'],
      ['production-100', 'production-100'],
      ['production-rollback', 'production-rollback'],
    ])
    const head = text(WORKFLOW).split('\non:')[0]
    for (const [, environment] of names) assert.ok(head.includes(environment), environment)
  })
})

/**
 * The jobs that run. `ends` is the result of each job (success by default); the run is cancelled
 * after the job `cancelledAfter`.
 *
 * @param {{ ends?: Record<string, string>, cancelledAfter?: string, vars?: object, inputs?: object, started?: boolean }} [run]
 */
function play({ ends = {}, cancelledAfter, vars = VARS, inputs = {}, started = true } = {}) {
  const results = {}
  let cancelled = false
  for (const [name, { needs = [], if: condition }] of Object.entries(jobs)) {
    const named = [needs].flat()
    const outputs = { build: { digest: 'x' }, 'production-0': { started: started ? 'true' : undefined } }
    const context = Object.fromEntries(named.map((need) => [need, { result: results[need], outputs: outputs[need] }]))
    if (results['production-0'] === 'skipped') context['production-0'] &&= { result: 'skipped' }
    const go = condition ? runs(condition, { needs: context, vars, inputs }, { cancelled }) : !cancelled
    const implied =
      !condition || /cancelled\(\)|always\(\)/.test(condition) || named.every((need) => results[need] === 'success')
    results[name] = go && implied ? (ends[name] ?? 'success') : 'skipped'
    if (name === cancelledAfter) cancelled = true
  }
  return Object.entries(results)
    .filter(([, result]) => result !== 'skipped')
    .map(([name]) => name)
}

describe('which jobs run', () => {
  const WHOLE = ['build', 'staging', 'production-0', 'production-10', 'production-100']
  const cases = /** @type {[title: string, run: Parameters<typeof play>[0], expected: string[]][]} */ ([
    ['all goes well', {}, WHOLE],
    ['the tests fail', { ends: { build: 'failure' } }, ['build']],
    ['nothing is set up', { vars: {} }, ['build']],
    [
      'there is no staging',
      { vars: { PRODUCTION_URL: VARS.PRODUCTION_URL } },
      WHOLE.filter((name) => name !== 'staging'),
    ],
    ['staging does not answer', { ends: { staging: 'failure' } }, ['build', 'staging']],
    ['it is only to be shown', { inputs: { 'dry-run': true }, started: false }, ['build', 'production-0']],
    [
      'another release is under way',
      { ends: { 'production-0': 'failure' }, started: false },
      ['build', 'staging', 'production-0'],
    ],
    [
      'the check at 0 % fails',
      { ends: { 'production-0': 'failure' } },
      ['build', 'staging', 'production-0', 'production-rollback'],
    ],
    ['10 % is not approved', { ends: { 'production-10': 'failure' } }, [...WHOLE.slice(0, 4), 'production-rollback']],
    [
      '10 % runs out of time',
      { ends: { 'production-10': 'cancelled' } },
      [...WHOLE.slice(0, 4), 'production-rollback'],
    ],
    [
      'somebody cancels while 100 % waits',
      { cancelledAfter: 'production-10' },
      [...WHOLE.slice(0, 4), 'production-rollback'],
    ],
    [
      'somebody cancels at 0 %',
      { ends: { 'production-0': 'cancelled' }, cancelledAfter: 'production-0' },
      [...WHOLE.slice(0, 3), 'production-rollback'],
    ],
    ['100 % fails', { ends: { 'production-100': 'failure' } }, [...WHOLE, 'production-rollback']],
  ])
  for (const [title, how, expected] of cases) test(title, () => assert.deepEqual(play(how), expected))
})

describe('its shell steps', () => {
  /** Creates a checkout of a release, with placeholders for the built files. */
  function workspace() {
    const repo = new Repo()
    for (const [file, content] of [
      ['build/index.js', 'js'],
      ['build/index_bg.wasm', 'wasm'],
      ['target/release/slotctl', 'elf'],
    ]) {
      mkdirSync(path.join(repo.dir, path.dirname(file)), { recursive: true })
      writeFileSync(path.join(repo.dir, file), content, { mode: 0o755 })
    }
    repo.commit({})
    repo.git('tag', '-a', '-m', 'v0.2.0', 'v0.2.0')
    return repo.dir
  }

  test('pack the build, and unpack only that one', async () => {
    const from = job({}, { cwd: workspace(), env: workflow.env })
    const packed = await from.run(step(jobs.build.steps, 'Pack'))
    assert.equal(packed.code, 0, packed.said)
    const archive = readFileSync(path.join(from.temp, 'build.tar'))
    assert.equal(packed.outputs.digest, createHash('sha256').update(archive).digest('hex'))
    for (const [digest, code] of [
      [packed.outputs.digest, 0],
      ['0'.repeat(64), 1],
    ]) {
      const to = job({ inputs: { digest } }, { cwd: temporaryFolder('unpacked') })
      cpSync(path.join(from.temp, 'build.tar'), path.join(to.temp, 'build.tar'))
      const unpacked = await to.run(step(takeBuild.runs.steps, 'Unpack'))
      assert.equal(unpacked.code, code, unpacked.said)
    }
  })

  test('poll staging until it has the deployed version', async () => {
    const scriptVersion = { id: 'x', tag: 'v0.2.0', timestamp: '2026-11-21T00:00:00Z' }
    const worker = await startWorker({ scriptVersion })
    // A healthy answer is used for 10 s, so the ill Worker is another one.
    const unwell = await startWorker({ scriptVersion })
    unwell.kv.fail('refuse')
    const cwd = workspace()
    const ask = ({ url } = worker) =>
      job({ vars: { STAGING_URL: url } }, { cwd }).run(step(jobs.staging.steps, 'Wait for staging'), { PAUSE: '0' })
    try {
      const answered = await ask()
      assert.deepEqual([answered.code, JSON.parse(answered.said).status], [0, 'ok'])
      const ill = await ask(unwell)
      assert.notEqual(ill.code, 0)
      assert.match(ill.said, /503/)
      execFileSync('git', ['tag', '-d', 'v0.2.0'], { cwd, stdio: 'pipe' })
      const other = await ask()
      assert.equal(other.code, 1)
      assert.match(other.said, /^::error::http\S+ serves v0\.2\.0, not [0-9a-f]{7,}$/m)
    } finally {
      await Promise.all([worker.stop(), unwell.stop()])
    }
  })
})
