import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'

import { parse } from 'yaml'

import { inRoot } from '../../scripts/lib/paths.mjs'
import { lint, text } from './support/lint.mjs'

const WORKFLOW = '.github/workflows/mutants.yml'
const workflow = parse(text(WORKFLOW))

describe('the mutants workflow', () => {
  test('has no actionlint findings', async () => {
    assert.deepEqual(await lint(text(WORKFLOW), WORKFLOW), [])
  })

  test('runs once a week, and is no part of the gates', () => {
    assert.deepEqual(Object.keys(workflow.on), ['schedule', 'workflow_dispatch'])
    assert.match(workflow.on.schedule[0].cron, /^\d+ \d+ \* \* [0-6]$/)
    for (const file of ['.ci/run', 'package.json', 'scripts/test.mjs']) assert.doesNotMatch(text(file), /mutants/)
  })

  test('splits the mutants among all of its jobs', () => {
    const { strategy, steps } = workflow.jobs.mutants
    const { shard } = strategy.matrix
    assert.deepEqual(shard, [...shard.keys()])
    assert.ok(steps.some(({ run }) => run?.includes(`/${shard.length}"`)))
  })

  test('changes files that exist', () => {
    const [, globs] = /^examine_globs = \[\n([^\]]*)\]/m.exec(text('.cargo/mutants.toml')) ?? []
    const files = [...globs.matchAll(/"([^"]+)"/g)].map(([, glob]) => glob.replace('/**', ''))
    assert.ok(files.length >= 9)
    for (const file of files) assert.ok(existsSync(inRoot(file)), file)
  })
})
