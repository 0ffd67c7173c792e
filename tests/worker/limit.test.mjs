// The rate limiting binding: who is counted as whom, and what a limiter that fails does. tests/deploy has the
// binding as wrangler makes it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import { createClient } from '../../client/index.js'
import { LIMITER, limiterBinding } from './harness/limiter.mjs'
import { serveVectors } from './vectors.mjs'

const SLOT = '/components/prompts/extraction@production'
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const bearer = (token) => ({ authorization: `Bearer ${token}` })
const from = (address) => ({ 'cf-connecting-ip': address })
const post = (refs) => ({
  method: 'POST',
  path: '/resolve',
  headers: { 'content-type': 'application/json', ...from('203.0.113.1') },
  body: JSON.stringify({ refs }),
})

/** Runs `check` against a Worker whose callers have this limit, or with a limiter that fails in a mode. */
async function withLimit(limit, check, options = {}) {
  const { worker } = await serveVectors('answers.json', { ...limiterBinding(limit), ...options })
  try {
    await check(worker)
  } finally {
    await worker.stop()
  }
}

const status = async (worker, headers, path = SLOT) => (await worker.fetch(path, { headers })).status

/** The statuses of `count` requests, one after another. */
async function statuses(worker, count, headers, path) {
  const found = []
  for (let at = 0; at < count; at += 1) found.push(await status(worker, headers, path))
  return found
}

const lines = (worker) =>
  worker.output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

/** How often each caller was counted. */
function counts(worker) {
  const counted = worker.output.split('\n').filter((line) => line.startsWith(LIMITER))
  const byKey = Object.entries(Object.groupBy(counted, (line) => line.slice(LIMITER.length)))
  return Object.fromEntries(byKey.map(([key, found]) => [key, found?.length]))
}

test('a caller beyond its limit gets 429 with Retry-After, and no read of KV; others are answered', async () => {
  await withLimit(3, async (worker) => {
    assert.deepEqual(await statuses(worker, 3, from('203.0.113.1')), [200, 200, 200])
    worker.kv.forget()
    const refused = await worker.fetch(SLOT, { headers: from('203.0.113.1') })
    const { code, title, detail } = refused.json()
    assert.deepEqual(
      [refused.status, refused.headers['retry-after'], refused.headers['content-type'], code, title],
      [429, '10', 'application/problem+json', 'RATE_LIMITED', 'Too many requests'],
    )
    assert.equal(refused.headers['cache-control'], 'no-store')
    assert.match(detail, /Retry-After/)
    assert.equal(worker.kv.count(), 0)
    assert.equal(await status(worker, from('203.0.113.2')), 200)
    const logged = lines(worker).filter((line) => line.status === 429)
    assert.deepEqual(
      logged.map(({ method, code, kvReads }) => [method, code, kvReads]),
      [['GET', 'RATE_LIMITED', 0]],
    )
  })
})

test('every resource and method is counted, once for each request', async () => {
  await withLimit(7, async (worker) => {
    const headers = from('203.0.113.1')
    for (const path of [SLOT, '/version', '/healthz', '/catalog', '/nothing']) await worker.fetch(path, { headers })
    for (const method of ['HEAD', 'OPTIONS']) await worker.fetch(SLOT, { method, headers })
    assert.deepEqual(counts(worker), { 'address:203.0.113.1': 7 })
    assert.equal(await status(worker, headers, '/version'), 429)
    const head = await worker.fetch(SLOT, { method: 'HEAD', headers })
    assert.deepEqual([head.status, head.body.length], [429, 0])
  })
})

test('/resolve counts once for each reference', async () => {
  await withLimit(10, async (worker) => {
    const refs = (count) => Array.from({ length: count }, () => 'prompts/extraction@production')
    assert.equal((await worker.rawRequest(post(refs(6)))).status, 200)
    assert.deepEqual(counts(worker), { 'address:203.0.113.1': 6 })
    worker.kv.forget()
    const refused = await worker.rawRequest(post(refs(5)))
    assert.deepEqual([refused.status, refused.json().code, worker.kv.count()], [429, 'RATE_LIMITED', 0])
  })
})

test('a valid token is counted as itself, from whatever address; a wrong one as its address', async () => {
  const vars = { READ_TOKENS: JSON.stringify({ [sha256('a')]: ['*'], [sha256('b')]: ['*'] }) }
  const check = async (worker) => {
    assert.equal(await status(worker, { ...bearer('a'), ...from('203.0.113.1') }), 200)
    assert.equal(await status(worker, { ...bearer('a'), ...from('203.0.113.2') }), 200)
    assert.equal(await status(worker, { ...bearer('a'), ...from('203.0.113.3') }), 429)
    assert.equal(await status(worker, { ...bearer('b'), ...from('203.0.113.1') }), 200)
    const guesses = ['x', 'y', 'z'].map((token) => status(worker, { ...bearer(token), ...from('203.0.113.1') }))
    assert.deepEqual((await Promise.all(guesses)).sort(), [401, 401, 429])
    assert.deepEqual(counts(worker), {
      [`token:${sha256('a')}`]: 3,
      [`token:${sha256('b')}`]: 1,
      'address:203.0.113.1': 3,
    })
  }
  await withLimit(2, check, { vars })
})

test('an address is that of Cloudflare, and an IPv6 network is one caller', async () => {
  await withLimit(2, async (worker) => {
    const forged = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', forwarded: 'for=203.0.113.9' }
    assert.equal(await status(worker, { ...from('2001:db8:1:2::1'), ...forged }), 200)
    assert.equal(await status(worker, from('2001:db8:1:2:ffff::2')), 200)
    assert.equal(await status(worker, from('2001:db8:1:2::3')), 429)
    assert.equal(await status(worker, from('2001:db8:1:3::1')), 200)
    // Callers without an address share one limit.
    assert.deepEqual(await statuses(worker, 3, forged), [200, 200, 429])
    assert.deepEqual(counts(worker), {
      'address:2001:db8:1:2::/64': 3,
      'address:2001:db8:1:3::/64': 1,
      'address:': 3,
    })
  })
})

test('the fast lane is used within the limit, and not beyond it', async () => {
  await withLimit(5, async (worker) => {
    const found = []
    for (let at = 0; at < 6; at += 1) found.push(await worker.fetch(SLOT, { headers: from('203.0.113.1') }))
    assert.deepEqual(
      found.map((answer) => answer.status),
      [200, 200, 200, 200, 200, 429],
    )
    assert.equal(found[4].headers['server-timing'], 'kv;desc="reads=1", content;desc="memory"')
  })
})

for (const mode of ['throws', 'hangs', 'answers otherwise']) {
  test(`a limiter that ${mode} admits everybody`, async () => {
    const check = async (worker) => {
      assert.deepEqual(await statuses(worker, 2, from('203.0.113.1')), [200, 200])
      const failures = lines(worker).filter(({ rateLimiter }) => rateLimiter !== undefined)
      assert.equal(failures.length, mode === 'answers otherwise' ? 0 : 2)
      for (const { scriptVersion } of failures) assert.match(scriptVersion, /^[0-9a-f-]{36}$/)
    }
    await withLimit(mode, check, { vars: { KV_TIMEOUT_MS: '200' } })
  })
}

test('a binding that is no limiter admits everybody, and is named in the log', async () => {
  const check = async (worker) => {
    assert.equal(await status(worker, {}), 200)
    assert.match(worker.output, /"rateLimiter":"[^"]*not a function/)
  }
  const { worker } = await serveVectors('answers.json', { bindings: ['(name = "RATE_LIMITER", text = "x")'] })
  try {
    await check(worker)
  } finally {
    await worker.stop()
  }
})

test('the client waits as long as Retry-After says, and gives up after its patience', async () => {
  await withLimit(1, async (worker) => {
    const client = createClient(worker.url, { patience: 1_000 })
    assert.equal((await client.get('prompts/extraction@production')).version, 'v1.0.0')
    await assert.rejects(client.get('prompts/extraction@v1.0.0'), ({ status: found, retryAfter, problem }) => {
      assert.deepEqual([found, retryAfter, problem.code], [429, 10, 'RATE_LIMITED'])
      return true
    })
  })
})
