import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const SCRIPT = `
  import { announced } from '${new URL('../../scripts/lib/build.mjs', import.meta.url)}'
  const work = (time) => new Promise((resolve) => setTimeout(resolve, time, 'built'))
  console.log(await announced('Building long', work(700), 200), await announced('Building short', work(1), 200))
`

test('a build that takes long says that it still runs', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout], [0, 'built built\n'], stderr)
  assert.match(stderr, /^Building long: .* so far \.\.\.\n/)
  assert.doesNotMatch(stderr, /Building short/)
})
