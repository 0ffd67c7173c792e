import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ACCOUNT, startCloudflare, TOKEN } from './support/cloudflare.mjs'
import { startKv } from './support/kv.mjs'
import { extractionRepo } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

describe('slotctl sync with Cloudflare', () => {
  let kv
  let cloudflare
  before(async () => {
    kv = await startKv({ pairs: 8 })
    cloudflare = await startCloudflare(kv.url)
  })
  after(async () => {
    cloudflare?.stop()
    await kv?.stop()
  })

  const sync = (repo, pair, { token = TOKEN, interfere = () => null } = {}) => {
    Object.assign(cloudflare, { calls: [], interfere })
    const env = {
      CLOUDFLARE_API_TOKEN: token,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      CLOUDFLARE_API_BASE_URL: cloudflare.url,
    }
    return slotctl(['sync', '--repo', repo.dir, '--config', pair.config, '--env', 'staging', '--json'], { env })
  }

  const calls = () =>
    cloudflare.calls.map(({ method, path }) => `${method} ${path.replace(/^[0-9a-f]{32}\//, '').replace(/\?.*/, '')}`)

  test('makes as few calls as the limits allow', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const first = await sync(repo, pair)
    assert.equal(first.code, 0)
    assert.deepEqual(calls(), [
      'GET keys', // COMPONENTS, the runs of others first
      'GET keys', // SLOTS
      'PUT bulk', // contents
      'PUT bulk', // versions and, for others, that this run is about to move slots
      'GET keys', // the runs of others
      'PUT bulk', // slots
      'PUT bulk', // ranges records
      'PUT bulk', // catalogs
      'PUT bulk', // the index, and that the run has ended
      'POST bulk/get', // a sample of SLOTS
      'POST bulk/get', // and of COMPONENTS
      'GET keys', // the runs of others
    ])
    assert.equal(first.json.result.calls, cloudflare.calls.length)
    await sync(repo, pair)
    assert.deepEqual(calls(), ['GET keys', 'GET keys', 'POST bulk/get'])
    repo.slot('prompts/extraction', 'production', 'v1.1.0')
    const moved = await sync(repo, pair)
    assert.deepEqual(moved.json.result.written, {
      unreferenced: 0,
      contents: 0,
      versions: 0,
      slots: 1,
      ranges: 0,
      catalogs: 1,
      indexes: 0,
    })
    assert.deepEqual(calls().slice(3), [
      'GET values/prompts%2Fextraction',
      'PUT bulk', // the run, for others
      'GET keys', // the runs of others
      'PUT bulk',
      'PUT bulk', // the catalog, and that the run has ended
      'GET values/prompts%2Fextraction%40production',
      'GET values/prompts%2Fextraction',
      'GET keys',
      'POST bulk/delete', // the run before it
    ])
  })

  test('never shows the token', async () => {
    const { code, stdout, stderr } = await sync(extractionRepo(), kv.pair(), { token: 'wr0ng-token' })
    assert.equal(code, 1)
    assert.match(stderr, /status 403: Authentication error \(code 10000\)/)
    assert.match(stderr, /hint: CLOUDFLARE_API_TOKEN needs the permission/)
    assert.ok(!(stdout + stderr).includes('wr0ng'))
    assert.equal(cloudflare.calls.length, 1)
  })

  test('waits for Retry-After and continues', async () => {
    let refused = 0
    const interfere = () => (refused++ ? null : { status: 429, headers: { 'retry-after': '1' } })
    const { code, stderr } = await sync(extractionRepo(), kv.pair(), { interfere })
    assert.equal(code, 0)
    assert.match(stderr, /status 429; again in \(1\.\d s\)/)
  })

  test('finishes an interrupted sync in the next run', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    await sync(repo, pair)
    repo.slot('prompts/extraction', 'production', 'v1.1.0')
    const catalog = ({ method, body }) => method === 'PUT' && body.includes('"key":"prompts/extraction"')
    const interfere = (call) => (catalog(call) ? { status: 400, text: '{"success":false,"errors":[]}' } : null)
    const stopped = await sync(repo, pair, { interfere })
    assert.deepEqual([stopped.code, stopped.json.result.written.slots, stopped.json.result.written.catalogs], [1, 1, 0])
    assert.match(stopped.json.error.what, /bulk: status 400/)
    assert.match(stopped.stderr, /run the command again to continue/)

    const finished = await sync(repo, pair)
    assert.deepEqual(finished.json.result.written, {
      unreferenced: 0,
      contents: 0,
      versions: 0,
      slots: 0,
      ranges: 0,
      catalogs: 1,
      indexes: 0,
    })
    const { slots } = await pair.components.json('prompts/extraction')
    assert.deepEqual(
      slots.production.moves.map(({ from, to }) => [from, to]),
      [
        ['v1.0.0', 'v1.1.0'],
        [null, 'v1.0.0'],
      ],
    )
    assert.equal((await sync(repo, pair)).json.plan.empty, true)
  })

  test('sends keys again that a bulk write did not store', async () => {
    const pair = kv.pair()
    let left = 0
    const interfere = ({ method, body }) => {
      if (method !== 'PUT' || !body.includes('"sha256/') || left++) return null
      const keys = JSON.parse(body).map(({ key }) => key)
      const result = { successful_key_count: 0, unsuccessful_keys: keys }
      return { status: 200, text: JSON.stringify({ success: true, errors: [], result }) }
    }
    const { code, stderr } = await sync(extractionRepo(), pair, { interfere })
    assert.equal(code, 0)
    assert.match(stderr, /not written: sha256\/.* again in/)
    assert.equal(Object.keys(await pair.components.list()).length, 7)
  })
})
