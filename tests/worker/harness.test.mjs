import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'

import { startKvServer } from './harness/kv-server.mjs'
import { startWorker } from './harness/workerd.mjs'

// Performs the KV operation of the query and returns its result.
const PROBE = `
const CALLS = {
  get: (kv, { key, type, cacheTtl }) => kv.get(key, { type, cacheTtl }),
  meta: (kv, { key, type, cacheTtl }) => kv.getWithMetadata(key, { type, cacheTtl }),
  bulk: async (kv, { keys, type }) => Object.fromEntries(await kv.get(keys, type)),
  bulkMeta: async (kv, { keys, type }) => Object.fromEntries(await kv.getWithMetadata(keys, type)),
  list: (kv, options) => kv.list(options),
  put: (kv, { key }) => kv.put(key, 'x'),
}
const bytes = (value) => value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value

export default {
  async fetch(request, env) {
    if (request.method === 'GET') return Response.json({ url: request.url, vars: env.NAME, version: env.CF_VERSION_METADATA })
    const { call, namespace = 'SLOTS', ...options } = await request.json()
    try {
      const result = await CALLS[call](env[namespace], options)
      return Response.json({ result: result?.value ? { ...result, value: bytes(result.value) } : bytes(result) })
    } catch (error) {
      return Response.json({ error: error.message })
    }
  },
}`

describe('the test harness', () => {
  const SLOTS = new Map()
  const COMPONENTS = new Map()
  let worker

  before(async () => {
    worker = await startWorker({
      kv: { SLOTS, COMPONENTS },
      vars: { NAME: 'a "quoted"\n\u0007 name, é' },
      scriptVersion: { id: 'the-id', tag: 'v9', timestamp: '2026-05-06T07:08:09Z' },
      modules: [{ name: 'probe.js', source: PROBE }],
    })
  })
  after(() => worker.stop())
  beforeEach(() => {
    SLOTS.clear()
    COMPONENTS.clear()
    worker.kv.forget()
    worker.kv.heal()
  })

  const probe = async (call) => {
    const answer = await worker.fetch('/', { method: 'POST', body: JSON.stringify(call) })
    return answer.json()
  }

  test('binds text and the version of the script', async () => {
    const { vars, version } = (await worker.fetch('/')).json()
    assert.equal(vars, 'a "quoted"\n\u0007 name, é')
    assert.deepEqual(version, { id: 'the-id', tag: 'v9', timestamp: '2026-05-06T07:08:09Z' })
  })

  test('sends a path unchanged', async () => {
    for (const path of ['/a/../b', '/a%2fb', '/%zz', '//x', '/a?b#c']) {
      const { url } = (await worker.rawRequest({ path })).json()
      assert.ok(url.startsWith('http://'), url)
    }
    assert.match((await worker.fetch('/a%2fb')).json().url, /\/a%2fb$/)
  })

  test('returns the headers of an answer as a list and as an object', async () => {
    const { status, headers, rawHeaders } = await worker.fetch('/')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/json')
    assert.ok(rawHeaders.some(([name]) => name === 'Content-Type'))
  })

  test('reads values byte for byte, from the right namespace', async () => {
    const value = Buffer.from([0, 255, 13, 10, 0xc3])
    worker.kv.put('COMPONENTS', 'odd/ key?#%2f@é', value)
    SLOTS.set('empty', '')
    const read = { call: 'get', namespace: 'COMPONENTS', key: 'odd/ key?#%2f@é', type: 'arrayBuffer' }
    assert.deepEqual(await probe(read), { result: [...value] })
    assert.deepEqual(await probe({ call: 'get', key: 'empty' }), { result: '' })
    assert.deepEqual(await probe({ call: 'get', key: 'absent' }), { result: null })
  })

  test('records every read with its cacheTtl', async () => {
    await probe({ call: 'get', key: 'a', cacheTtl: 30 })
    await probe({ call: 'get', namespace: 'COMPONENTS', key: 'b' })
    assert.deepEqual(worker.kv.reads, [
      { namespace: 'SLOTS', op: 'get', keys: ['a'], cacheTtl: 30 },
      { namespace: 'COMPONENTS', op: 'get', keys: ['b'], cacheTtl: undefined },
    ])
    assert.equal(worker.kv.count('SLOTS'), 1)
    assert.equal(worker.kv.count(), 2)
  })

  test('returns metadata', async () => {
    worker.kv.put('SLOTS', 'a', '1', { metadata: { sha: 'é' } })
    const { result } = await probe({ call: 'meta', key: 'a' })
    assert.equal(result.value, '1')
    assert.deepEqual(result.metadata, { sha: 'é' })
    assert.equal((await probe({ call: 'meta', key: 'absent' })).result.value, null)
  })

  test('drops expired keys', async () => {
    worker.kv.put('SLOTS', 'old', '1', { expiration: 1 })
    worker.kv.put('SLOTS', 'young', '1', { expiration: Date.now() / 1000 + 60 })
    assert.deepEqual(await probe({ call: 'bulk', keys: ['old', 'young'] }), { result: { old: null, young: '1' } })
  })

  test('reads many keys at once', async () => {
    SLOTS.set('a', '{"x":1}').set('b', { value: '2', metadata: { m: true } })
    const keys = ['a', 'b', 'absent']
    const { result } = await probe({ call: 'bulk', keys })
    assert.deepEqual(result, { a: '{"x":1}', b: '2', absent: null })
    const { result: parsed } = await probe({ call: 'bulk', keys: ['a'], type: 'json' })
    assert.deepEqual(parsed, { a: { x: 1 } })
    const { result: full } = await probe({ call: 'bulkMeta', keys })
    assert.deepEqual(full.b, { value: '2', metadata: { m: true } })
    assert.equal(worker.kv.reads.length, 3)
    assert.deepEqual(worker.kv.reads[0].keys, keys)
  })

  test('lists keys in pages', async () => {
    for (const name of ['p/c', 'p/a', 'q', 'p/b']) SLOTS.set(name, { value: '', metadata: { name } })
    const first = (await probe({ call: 'list', prefix: 'p/', limit: 2 })).result
    assert.deepEqual(first.keys, [
      { name: 'p/a', metadata: { name: 'p/a' } },
      { name: 'p/b', metadata: { name: 'p/b' } },
    ])
    assert.equal(first.list_complete, false)
    const rest = (await probe({ call: 'list', prefix: 'p/', cursor: first.cursor })).result
    assert.deepEqual(
      rest.keys.map(({ name }) => name),
      ['p/c'],
    )
    assert.equal(rest.list_complete, true)
  })

  test('refuses and records writes', async () => {
    assert.match((await probe({ call: 'put', key: 'a' })).error, /405/)
    assert.deepEqual(worker.kv.writes, [{ method: 'PUT', namespace: 'SLOTS', keys: ['a'] }])
  })

  test('fails in the given mode, and only for the given reads', async () => {
    SLOTS.set('a', '1').set('b', '2')
    for (const mode of [{ status: 500 }, { status: 429 }, 'truncated', 'refuse']) {
      worker.kv.fail(mode, { key: 'a' })
      const { error } = await probe({ call: 'get', key: 'a' })
      assert.ok(error, JSON.stringify(mode))
      assert.deepEqual(await probe({ call: 'get', key: 'b' }), { result: '2' })
      worker.kv.heal()
      assert.deepEqual(await probe({ call: 'get', key: 'a' }), { result: '1' })
    }
  })

  test('answers with invalid data', async () => {
    SLOTS.set('a', '{}')
    worker.kv.fail('garbage', { namespace: 'SLOTS' })
    assert.match((await probe({ call: 'get', key: 'a', type: 'json' })).error, /JSON/)
    assert.ok((await probe({ call: 'bulk', keys: ['a'] })).error)
    assert.deepEqual(await probe({ call: 'get', namespace: 'COMPONENTS', key: 'a' }), { result: null })
  })

  test('hangs until it is stopped', async () => {
    worker.kv.fail('hang', { times: 1 })
    const hanging = probe({ call: 'get', key: 'a' })
    const first = await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 200, 'nothing'))])
    assert.equal(first, 'nothing')
    assert.deepEqual(await probe({ call: 'get', key: 'a' }), { result: null })
    hanging.catch(() => {})
  })

  test('fails a number of times', async () => {
    worker.kv.fail({ status: 503 }, { times: 2 })
    const answers = []
    for (let turn = 0; turn < 3; turn += 1) answers.push(await probe({ call: 'get', key: 'a' }))
    assert.deepEqual(
      answers.map(({ error }) => Boolean(error)),
      [true, true, false],
    )
  })

  test('allows the store to change between two reads', async () => {
    worker.kv.beforeRead = ({ keys: [key] }) => SLOTS.set(key, 'just in time')
    assert.deepEqual(await probe({ call: 'get', key: 'a' }), { result: 'just in time' })
    worker.kv.beforeRead = undefined
  })
})

test('several Workers share one KV, and it outlives them', async () => {
  const kv = await startKvServer({ SLOTS: new Map([['a', '1']]) })
  const modules = [{ name: 'probe.js', source: PROBE }]
  const workers = await Promise.all([startWorker({ kv, modules }), startWorker({ kv, modules })])
  for (const worker of workers) {
    const body = JSON.stringify({ call: 'get', key: 'a' })
    const answer = await worker.fetch('/', { method: 'POST', body })
    assert.deepEqual(answer.json(), { result: '1' })
    await worker.stop()
  }
  assert.equal(kv.count('SLOTS'), 2)
  await kv.stop()
})

test('a Worker that cannot start is an error with the reason', async () => {
  const modules = [{ name: 'broken.js', source: 'export default {' }]
  await assert.rejects(startWorker({ modules }), /SyntaxError/)
})

test('the built Worker answers', async () => {
  const worker = await startWorker({})
  const { status } = await worker.fetch('/version')
  assert.equal(status, 200)
  await worker.stop()
})
