// `slotctl sync --layout conductor`: the real binary writes copies, for Workers that do not use the
// resolver yet, to the KV of `wrangler dev`. A KV binding to these copies in workerd must answer like
// the resolver.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo, GIT_ENV, Repo, temporaryFolder } from '../cli/support/repo.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'
import { startWorker } from '../worker/harness/workerd.mjs'

const NAME = 'prompts/extraction'
const SHOP = fileURLToPath(new URL('../fixtures/shop.bundle', import.meta.url))
const REGISTRY = fileURLToPath(new URL('../fixtures/shop.components.json', import.meta.url))
const CALLER = fileURLToPath(new URL('../worker/rpc-caller.mjs', import.meta.url))

let kv
before(async () => {
  kv = await startKv({ pairs: 8, conductor: true })
})
after(() => kv?.stop())

async function sync(repo, pair, ...flags) {
  const args = ['sync', '--local', kv.url, '--repo', repo.dir, '--config', pair.config, '--json']
  const ended = await slotctl([...args, ...flags])
  return { ...ended, ...ended.json }
}

const LAYOUT = ['--layout', 'conductor']

describe('the copies', () => {
  test('exist under every key of Conductor, and are written once', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const first = await sync(repo, pair, ...LAYOUT)
    assert.equal(first.code, 0, first.stderr)
    // Two versions, production, staging, latest in three forms, and two indexes.
    assert.equal(first.layout.written, 5 * 3 + 2)
    for (const key of [`${NAME}@production`, `${NAME}/production`, `components/${NAME}/v1.0.0`]) {
      assert.equal((await pair.conductor.get(key)).toString(), 'Extract.\n', key)
    }
    assert.deepEqual(await pair.conductor.json(`${NAME}/_versions`), ['v1.0.0', 'v1.1.0'])
    const { sha, date, author, type, version, slot, assignment } = (await pair.conductor.list())[`${NAME}/production`]
    assert.deepEqual([author, type, version, slot, assignment], ['Ada', 'prompt', 'v1.0.0', 'production', 'sole'])
    assert.ok(/^[0-9a-f]{40}$/.test(sha) && !Number.isNaN(Date.parse(date)))
    const again = await sync(repo, pair, ...LAYOUT)
    assert.deepEqual([again.layout.written, again.layout.unchanged], [0, 17])
    const checked = await sync(repo, pair, ...LAYOUT, '--dry-run', '--check')
    assert.equal(checked.code, 0)
  })

  test('follow a slot that moves, and stay without the option', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    await sync(repo, pair, ...LAYOUT)
    repo.slot(NAME, 'production', 'v1.1.0')
    const shown = await sync(repo, pair, ...LAYOUT, '--dry-run', '--check')
    assert.deepEqual([shown.code, shown.layout.writes.length, shown.layout.written], [3, 3, 0])
    await sync(repo, pair)
    assert.equal((await pair.conductor.get(`${NAME}/production`)).toString(), 'Extract.\n')
    // The resolver's own keys are up to date, the copies are not.
    const moved = await sync(repo, pair, ...LAYOUT)
    assert.deepEqual(moved.layout.writes, [`components/${NAME}/production`, `${NAME}/production`, `${NAME}@production`])
    assert.equal((await pair.conductor.get(`${NAME}/production`)).toString(), 'Extract it all.\n')
  })

  test('are deleted with --prune, and foreign keys are not', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    await sync(repo, pair, ...LAYOUT)
    for (const key of ['ensemble:mine', 'prompts/other/v1.0.0', `${NAME}/of-another-tool`])
      await pair.conductor.put(key, 'mine')
    repo.git('tag', '--delete', `components/${NAME}/staging`)
    const kept = await sync(repo, pair, ...LAYOUT)
    assert.deepEqual([kept.layout.kept.length, kept.layout.foreign], [0, 3])
    assert.ok(await pair.conductor.get(`${NAME}/staging`))
    const pruned = await sync(repo, pair, ...LAYOUT, '--prune')
    assert.deepEqual(pruned.layout.deletions.sort(), [
      `components/${NAME}/staging`,
      `${NAME}/staging`,
      `${NAME}@staging`,
    ])
    assert.equal(await pair.conductor.get(`${NAME}/staging`), null)
    assert.equal((await pair.conductor.get('ensemble:mine')).toString(), 'mine')
  })

  test('need a namespace of their own', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const ids = ['--slots-id', pair.ids.slots, '--components-id', pair.ids.components]
    const { code, stderr } = await slotctl(['sync', '--local', kv.url, '--repo', repo.dir, ...ids, ...LAYOUT])
    assert.equal(code, 1)
    assert.match(stderr, /CONDUCTOR/)
    assert.deepEqual(await pair.conductor.list(), {})
  })
})

/** A whole namespace, in the form of the harness's KV server. */
async function dump(namespace) {
  const entries = Object.entries(await namespace.list())
  const values = await Promise.all(
    entries.map(async ([key, metadata]) => /** @type {const} */ ([key, { value: await namespace.get(key), metadata }])),
  )
  return new Map(values)
}

test("of tags made by the real edgit equal the resolver's answers, key by key", async () => {
  const repo = new Repo(temporaryFolder('shop'))
  execFileSync('git', ['clone', '--quiet', SHOP, '.'], { cwd: repo.dir, env: GIT_ENV, stdio: 'pipe' })
  const pair = kv.pair()
  const { code, stderr } = await sync(repo, pair, ...LAYOUT, '--registry', REGISTRY)
  assert.equal(code, 0, stderr)
  const [SLOTS, COMPONENTS, CONDUCTOR] = await Promise.all([pair.slots, pair.components, pair.conductor].map(dump))
  const caller = { modules: [{ name: 'caller.mjs', file: CALLER }], services: ['RESOLVER'] }
  const worker = await startWorker({ kv: { SLOTS, COMPONENTS, CONDUCTOR }, caller })
  const ask = async (binding, calls) =>
    (await worker.fetch('/', { method: 'POST', body: JSON.stringify({ binding, calls }) })).json()
  try {
    assert.ok(CONDUCTOR.size > 200)
    const reads = [...CONDUCTOR.keys()].flatMap((key) =>
      ['get', 'getWithMetadata'].map((method) => ({ method, args: [key] })),
    )
    const types = [...new Set([...CONDUCTOR.keys()].map((key) => `${key.split('/')[0]}/`))]
    const lists = ['', ...types, `${NAME}@`, `${NAME}/`, `components/${NAME}/`].map((prefix) => ({
      method: 'list',
      args: [{ prefix }],
    }))
    const calls = [...reads, ...lists]
    const [resolver, copies] = [await ask('RESOLVER', calls), await ask('CONDUCTOR', calls)]
    for (const [at, call] of calls.entries()) assert.deepEqual(resolver[at], copies[at], JSON.stringify(call))
  } finally {
    await worker.stop()
  }
})
