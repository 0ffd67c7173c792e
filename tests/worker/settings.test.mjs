// The settings as the runtime hands them over, by their type. tests/deploy has them in wrangler.toml.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import * as capnp from '../../tools/workerd/capnp.mjs'
import { builtModules } from './harness/config.mjs'
import { startKvServer } from './harness/kv-server.mjs'
import { startWorker } from './harness/workerd.mjs'
import { bytes, put, readVectors, serveVectors } from './vectors.mjs'

const COMPONENT = '/components/prompts/extraction'
const SLOT = `${COMPONENT}@production`
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const tokens = (...names) => Object.fromEntries(names.map((name) => [sha256(name), ['*']]))
const bearer = (token) => ({ authorization: `Bearer ${token}` })

/** Runs `check` against a Worker with these settings. */
async function withWorker(options, check) {
  const { worker } = await serveVectors('answers.json', options)
  try {
    return await check(worker)
  } finally {
    await worker.stop()
  }
}

const status = async (worker, path, headers = {}) => (await worker.fetch(path, { headers })).status

async function refused(worker, path, headers = {}) {
  const answer = await worker.fetch(path, { headers })
  assert.equal(answer.status, 503, answer.text())
  const { code, detail } = answer.json()
  assert.equal(code, 'CONFIGURATION_INVALID')
  return /The setting (\w+) /.exec(detail)[1]
}

describe('a setting is read by its type', () => {
  test('READ_TOKENS as a table', async () => {
    await withWorker({ vars: { READ_TOKENS: tokens('a') } }, async (worker) => {
      assert.deepEqual([await status(worker, SLOT), await status(worker, SLOT, bearer('a'))], [401, 200])
    })
  })

  test('HOST_SLOTS as a table, CORS_ORIGINS as an array, numbers', async () => {
    const vars = {
      HOST_SLOTS: { 'Green.Example.com.': 'staging' },
      CORS_ORIGINS: ['https://App.Example/'],
      SLOT_CACHE_TTL: 120,
      KV_TIMEOUT_MS: 500,
    }
    await withWorker({ vars }, async (worker) => {
      const headers = { host: 'green.example.com', origin: 'https://app.example' }
      const answer = await worker.fetch(COMPONENT, { headers })
      assert.equal(answer.headers['component-slot'], 'staging')
      assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example')
      assert.equal(worker.kv.reads.find(({ namespace }) => namespace === 'SLOTS').cacheTtl, 120)
    })
  })
})

describe('a setting that cannot be read is refused', () => {
  for (const [title, value] of Object.entries({ null: null, number: 5, boolean: false, array: ['*'], empty: '' })) {
    test(`READ_TOKENS: ${title}`, async () => {
      await withWorker({ vars: { READ_TOKENS: value } }, async (worker) => {
        for (const path of [SLOT, `${COMPONENT}@v1.0.0`, '/catalog', '/catalog/prompts/extraction'])
          assert.equal(await refused(worker, path, bearer('')), 'READ_TOKENS')
        assert.equal(await status(worker, '/version'), 200)
      })
    })
  }

  test('READ_TOKENS: a KV namespace', async () => {
    const bindings = [capnp.kvBinding('READ_TOKENS', 'SLOTS')]
    await withWorker({ bindings }, async (worker) => {
      assert.equal(await refused(worker, SLOT), 'READ_TOKENS')
    })
  })

  test('a number, for requests of components and for RPC', async () => {
    for (const name of ['SLOT_CACHE_TTL', 'VERSION_CACHE_TTL', 'CONTENT_MEMORY', 'KV_TIMEOUT_MS']) {
      const source = `export default {
        fetch: (request, env) => env.RESOLVER.get('prompts/extraction@production').then(
          () => new Response('found'), (error) => new Response(error.code, { status: error.status })) }`
      const caller = { modules: [{ name: 'caller.mjs', source }], services: ['RESOLVER'] }
      for (const value of [null, 'soon', 1.5]) {
        await withWorker({ vars: { [name]: value } }, async (worker) => {
          assert.equal(await refused(worker, SLOT), name)
          assert.equal(await refused(worker, '/catalog'), name)
          assert.equal(await status(worker, '/version'), 200)
        })
      }
      await withWorker({ vars: { [name]: 'soon' }, caller }, async (worker) => {
        const answer = await worker.fetch('/')
        assert.deepEqual([answer.status, answer.text()], [503, 'CONFIGURATION_INVALID'])
      })
    }
  })

  test('HOST_SLOTS, for requests without a reference', async () => {
    for (const HOST_SLOTS of [null, 5, { 'https://green.example.com': 'green' }, { 'a.example': 'v1' }]) {
      await withWorker({ vars: { HOST_SLOTS } }, async (worker) => {
        assert.equal(await refused(worker, COMPONENT), 'HOST_SLOTS')
        assert.equal(await status(worker, SLOT), 200)
      })
    }
  })

  test('CORS_ORIGINS, for requests with an Origin', async () => {
    for (const CORS_ORIGINS of [null, { a: 1 }, ['https://app.example/path'], 'app.example']) {
      await withWorker({ vars: { CORS_ORIGINS } }, async (worker) => {
        assert.equal(await refused(worker, SLOT, { origin: 'https://app.example' }), 'CORS_ORIGINS')
        const answer = await worker.fetch(SLOT)
        assert.deepEqual([answer.status, answer.headers.vary], [200, 'Origin'])
      })
    }
  })
})

describe('READ_TOKENS in the Secrets Store', () => {
  // The binding as wrangler makes it locally, on a store that fails on command.
  const SECRET = path.join(
    path.dirname(createRequire(import.meta.url).resolve('miniflare', { paths: [import.meta.dirname] })),
    'workers/secrets-store/secret.worker.js',
  )
  // An hour passes when the test says so.
  const CLOCK = `import Resolver from './index.js'
    let ahead = 0
    const now = Date.now
    Date.now = () => now() + ahead
    export default class extends Resolver {
      async fetch(request) {
        const { pathname, search } = new URL(request.url)
        if (pathname !== '/clock') return super.fetch(request)
        ahead += Number(search.slice(1))
        return new Response()
      }
    }`
  let kv
  let worker
  const minutes = (count) => worker.fetch(`/clock?${count * 60_000}`)
  const write = (value) => kv.put('SECRETS', 'tokens', typeof value === 'string' ? value : JSON.stringify(value))
  const reads = () => kv.count('SECRETS')
  const statuses = async () => [await status(worker, SLOT, bearer('a')), await status(worker, SLOT, bearer('b'))]

  before(async () => {
    const script = readVectors('answers.json')
    kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map(), SECRETS: new Map() })
    put(kv, script.kv)
    const secret = {
      name: 'secret',
      modules: [{ name: 'secret.mjs', file: SECRET }],
      bindings: [capnp.kvBinding('store', 'SECRETS'), capnp.textBinding('secret_name', 'tokens')],
    }
    worker = await startWorker({
      kv,
      vars: { KV_TIMEOUT_MS: '500' },
      modules: [{ name: 'clock.mjs', source: CLOCK }, ...builtModules()],
      services: [secret],
      bindings: ['(name = "READ_TOKENS", service = (name = "secret", entrypoint = "SecretsStoreSecret"))'],
    })
  })
  after(async () => {
    await worker?.stop()
    await kv?.stop()
  })

  test('refuses everybody until it can be read', async () => {
    assert.equal(await refused(worker, SLOT, bearer('a')), 'READ_TOKENS')
    kv.fail({ status: 500 }, { namespace: 'SECRETS' })
    assert.equal(await refused(worker, '/catalog', bearer('a')), 'READ_TOKENS')
    kv.heal()
    write(tokens('a'))
    assert.deepEqual([await statuses(), await status(worker, SLOT)], [[200, 401], 401])
  })

  test('is read once and again after five minutes', async () => {
    kv.forget()
    write(tokens('b'))
    await minutes(4)
    assert.deepEqual([await statuses(), reads()], [[200, 401], 0])
    await minutes(2)
    assert.deepEqual([await statuses(), reads()], [[401, 200], 1])
  })

  test('keeps the last tokens if it cannot be read again', async () => {
    write(tokens('a'))
    kv.fail({ status: 500 }, { namespace: 'SECRETS' })
    await minutes(6)
    assert.deepEqual([await statuses(), await status(worker, SLOT)], [[401, 200], 401])
    kv.heal()
    assert.deepEqual(await statuses(), [401, 200], 'it is not read at every request')
    await minutes(1)
    assert.deepEqual(await statuses(), [200, 401])
  })

  test('keeps them for an hour, and logs one line without a value', async () => {
    const logged = () => worker.output.split('\n').filter((line) => line.includes('"secret"'))
    const before = logged().length
    kv.fail({ status: 500 }, { namespace: 'SECRETS' })
    await minutes(50)
    assert.deepEqual(await statuses(), [200, 401])
    await minutes(12)
    assert.equal(await refused(worker, SLOT, bearer('a')), 'READ_TOKENS')
    assert.equal(await refused(worker, SLOT, bearer('a')), 'READ_TOKENS')
    kv.heal()
    assert.deepEqual(await statuses(), [200, 401], 'it is read again at the next request')
    const lines = logged()
      .slice(before)
      .map((line) => JSON.parse(line))
    const [{ scriptVersion }] = lines
    assert.deepEqual(lines, [{ secret: 'READ_TOKENS', code: 'SECRET_UNREADABLE', scriptVersion }])
  })

  test('refuses everybody if its new text cannot be read', async () => {
    write('null')
    await minutes(6)
    assert.equal(await refused(worker, SLOT, bearer('a')), 'READ_TOKENS')
    write(tokens('a'))
    await minutes(6)
    assert.deepEqual(await statuses(), [200, 401])
  })

  test('may be larger than a secret of the Worker', async () => {
    const many = Array.from({ length: 500 }, (_, number) => `token-${number}`)
    write(tokens('a', ...many))
    assert.ok(bytes(JSON.stringify(tokens(...many))).length > 32 << 10)
    await minutes(6)
    assert.equal(await status(worker, SLOT, bearer('token-499')), 200)
  })
})
