import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

const ORDER = 'schemas/order'

/** Writes the registry as edgit does: in the work tree, ignored by Git. */
function register(repo, file) {
  const folder = path.join(repo.dir, '.edgit')
  mkdirSync(folder, { recursive: true })
  const components = { order: { path: file, type: 'schema' } }
  writeFileSync(path.join(folder, 'components.json'), JSON.stringify({ version: '3.0.0', components }))
}

describe('a component whose file moved', () => {
  let kv
  before(async () => {
    kv = await startKv()
  })
  after(() => kv?.stop())

  const run = (repo, pair, command, ...flags) =>
    slotctl([command, '--local', kv.url, '--repo', repo.dir, '--config', pair.config, ...flags])

  async function synced(repo, pair, ...flags) {
    const { code, stderr } = await run(repo, pair, 'sync', ...flags)
    assert.equal(code, 0, stderr)
    const { targets } = await pair.slots.json(`${ORDER}@production`)
    return targets[0].version
  }

  /** v1.0.0 at old/order.json and v1.1.0 at new/orders.json, both known only to the registry. */
  async function moved(pair) {
    const repo = new Repo()
    repo.commit({ '.gitignore': '.edgit/\n', 'old/order.json': '{"old":1}' })
    register(repo, 'old/order.json')
    repo.version(ORDER, 'v1.0.0')
    repo.slot(ORDER, 'production', 'v1.0.0')
    assert.equal(await synced(repo, pair), 'v1.0.0')
    repo.git('mv', 'old/order.json', 'orders.json')
    repo.commit({ 'orders.json': '{"new":1}' })
    register(repo, 'orders.json')
    repo.version(ORDER, 'v1.1.0')
    repo.slot(ORDER, 'production', 'v1.1.0')
    assert.equal(await synced(repo, pair), 'v1.1.0')
    return repo
  }

  test('is rolled back by moving the tag', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    repo.slot(ORDER, 'production', 'v1.0.0')
    assert.equal(await synced(repo, pair), 'v1.0.0')
    const verify = await run(repo, pair, 'verify')
    assert.equal(verify.code, 0, verify.stderr)
    const status = await run(repo, pair, 'status', '--check')
    assert.equal(status.code, 0, status.stderr)
  })

  test('is rolled back by a sync of that component alone', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    repo.slot(ORDER, 'production', 'v1.0.0')
    assert.equal(await synced(repo, pair, '--only', ORDER), 'v1.0.0')
  })

  test('is rolled back to its commit if the tag of the version is gone', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    const commit = repo.git('rev-parse', `components/${ORDER}/v1.0.0^{}`)
    repo.git('tag', '--delete', `components/${ORDER}/v1.0.0`)
    repo.git('tag', '--force', '-a', '-m', 'Roll back', `components/${ORDER}/production`, commit)
    assert.equal(await synced(repo, pair), commit)
  })

  test('is rolled back in a clone without a registry', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    const clone = repo.clone()
    clone.slot(ORDER, 'production', 'v1.0.0')
    const { code, stderr } = await run(clone, pair, 'sync')
    assert.equal(code, 0, stderr)
  })

  test('keeps the path that 0.1.0 recorded', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    // 0.1.0 wrote the path into the value alone.
    const key = `${ORDER}@v1.0.0`
    const value = await pair.components.get(key)
    const { file, ...metadata } = (await pair.components.list())[key]
    assert.equal(file.path, 'old/order.json')
    await pair.components.putWith(key, value, metadata)
    repo.slot(ORDER, 'production', 'v1.0.0')
    assert.equal(await synced(repo, pair), 'v1.0.0')
  })

  test('is a changed version if its tag names another file', async () => {
    const pair = kv.pair()
    const repo = await moved(pair)
    const commit = repo.commit({ 'other.json': '{"other":1}' })
    repo.version(ORDER, 'v1.2.0', { commit })
    assert.equal(await synced(repo, pair), 'v1.1.0')
    const tag = `components/${ORDER}/v1.2.0`
    repo.git('tag', '--force', '-a', '-m', 'Again\n\nComponent-Path: other.json', tag, commit)
    const { code, stderr } = await run(repo, pair, 'sync')
    assert.equal(code, 1, stderr)
    assert.match(stderr, /a version never changes/)
    const allowed = await run(repo, pair, 'sync', '--allow-changed-version', `${ORDER}@v1.2.0`)
    assert.equal(allowed.code, 0, allowed.stderr)
  })

  test('takes its path from the history of a committed registry', async () => {
    const pair = kv.pair()
    const repo = new Repo()
    repo.commit({ 'old/order.json': '{"old":1}' })
    repo.version(ORDER, 'v1.0.0')
    const registry = (file) => JSON.stringify({ components: { order: { path: file, type: 'schema' } } })
    repo.commit({ '.edgit/components.json': registry('old/order.json') })
    repo.git('mv', 'old/order.json', 'orders.json')
    repo.commit({ '.edgit/components.json': registry('orders.json') })
    repo.slot(ORDER, 'production', 'v1.0.0')
    assert.equal(await synced(repo, pair), 'v1.0.0')
  })
})
