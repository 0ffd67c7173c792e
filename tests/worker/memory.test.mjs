// The Wasm memory of an isolate, which never shrinks, under requests that are made to fill it.
import assert from 'node:assert/strict'
import http from 'node:http'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { builtModules } from './harness/config.mjs'
import { MEMORY_PATH, withMemory } from './harness/memory.mjs'
import { serveVectors } from './vectors.mjs'

const MIB = 1 << 20
const MAX_BODY = 64 << 10
const SLOT = '/components/prompts/extraction@production'
const JSON_BODY = { 'content-type': 'application/json' }

/** @param {string} body @param {object} [length] */
const post = (body, length = { 'content-length': Buffer.byteLength(body) }) => ({
  method: 'POST',
  path: '/resolve',
  headers: Object.assign({}, JSON_BODY, length),
  body,
})

/** 100 references of components that exist nowhere. */
const strangers = (tag) => Array.from({ length: 100 }, (_, at) => `prompts/${tag}-${at}@production`)

/** The most segments that are accepted, each as long as possible. */
const SEGMENTS = Array.from({ length: 32 }, (_, at) => `${at}`.padEnd(64, 's'))

/** The largest body with these references: every further byte is a segment. */
function padded(refs) {
  const room = MAX_BODY - JSON.stringify({ refs, segments: [] }).length
  return JSON.stringify({ refs, segments: Array.from({ length: Math.floor(room / 4) }, () => 'a') })
}

/** Starts a Worker that has answered a few requests, so that its memory has its usual size. */
async function start(options = {}) {
  const modules = withMemory(builtModules())
  const { worker } = await serveVectors('answers.json', { modules, vars: { KV_TIMEOUT_MS: '2000' }, ...options })
  for (const turn of [1, 2, 3]) {
    await worker.fetch(SLOT)
    await worker.rawRequest(post(JSON.stringify({ refs: strangers(`warm-${turn}`) })))
  }
  return worker
}

const memory = async (worker) => Number((await worker.fetch(MEMORY_PATH)).text())

/** Runs `attack` and returns the bytes by which the memory has grown. */
async function growth(worker, attack) {
  const before = await memory(worker)
  await attack()
  return (await memory(worker)) - before
}

/** The number of reads that hang. */
let hanging = 0

/** Reads of keys that contain `tag` hang; all others are answered. */
function hangOn(worker, tag) {
  hanging = 0
  worker.kv.beforeRead = ({ keys }) => {
    if (!keys.some((key) => key.includes(tag))) return undefined
    hanging += 1
    return new Promise(() => {})
  }
}

/** @param {{ body?: string, method?: string, path: string, headers?: http.OutgoingHttpHeaders }} request */
function send(worker, request) {
  const { body, ...options } = request
  const { hostname, port } = new URL(worker.url)
  const sent = http.request({ hostname, port, agent: false, ...options })
  sent.on('error', () => {})
  sent.end(body)
  return sent
}

/** Sends requests whose clients disconnect while the Worker waits for KV. */
async function cancelled(worker, requests, atOnce) {
  for (let from = 0; from < requests.length; from += atOnce) {
    const waiting = hanging
    const sent = requests.slice(from, from + atOnce).map((request) => send(worker, request))
    while (hanging < waiting + sent.length) await setTimeout(10)
    for (const { socket } of sent) socket.resetAndDestroy()
  }
}

const gets = (count, tag) =>
  Array.from({ length: count }, (_, at) => ({ path: `/components/prompts/${tag}-${at}@latest` }))

const posts = (count, tag) =>
  Array.from({ length: count }, () => post(JSON.stringify({ refs: strangers(tag), segments: SEGMENTS })))

const outcomeOf = (answer) => (answer.status === 200 ? 200 : `${answer.status} ${answer.json().code}`)

/** The outcomes of requests that have nothing to do with the attack, all the while it runs. */
async function innocents(worker, attack) {
  let attacking = true
  const ended = attack().finally(() => {
    attacking = false
  })
  const statuses = new Set()
  for (let at = 0; attacking; at += 1) {
    for (const path of [SLOT, `${SLOT}?explain`, `/components/prompts/extraction@none-${at}`])
      statuses.add(outcomeOf(await worker.fetch(path)))
  }
  await ended
  return [...statuses].sort()
}

describe('one request', () => {
  let worker
  before(async () => {
    worker = await start()
  })
  after(() => worker?.stop())

  // As many as a range may have: each is two comparators.
  const ALTERNATIVES = `${'1||'.repeat(7)}1`
  const LARGE = {
    'thousands of segments': { body: padded(strangers('wide')), status: 400 },
    'a hundred references and all segments': {
      body: JSON.stringify({ refs: strangers('full'), segments: SEGMENTS }),
      status: 200,
    },
    'a hundred ranges with many alternatives': {
      body: JSON.stringify({ refs: Array.from({ length: 100 }, () => `prompts/extraction@${ALTERNATIVES}`) }),
      status: 200,
      found: true,
    },
    'more bytes than are read': { body: ' '.repeat(2 * MIB), status: 413 },
  }
  for (const [name, { body, status, found }] of Object.entries(LARGE)) {
    test(`${name}: the memory grows by less than 2 MiB`, async () => {
      const grown = await growth(worker, async () => {
        for (const length of [undefined, { 'transfer-encoding': 'chunked' }]) {
          const answer = await worker.rawRequest(post(body, length))
          assert.equal(answer.status, status, answer.text().slice(0, 500))
          if (found) for (const entry of answer.json().resolved) assert.ok(entry.version, JSON.stringify(entry))
        }
      })
      assert.ok(grown <= 2 * MIB, `${grown} bytes`)
    })
  }

  test('a version key and segments have a maximum size', async () => {
    for (const { status, ...body } of [
      { status: 200, key: 'k'.repeat(256), segments: SEGMENTS },
      { status: 400, key: 'k'.repeat(257) },
      { status: 400, segments: [...SEGMENTS, 'one-more'] },
      { status: 400, segments: ['s'.repeat(65)] },
    ]) {
      const answer = await worker.rawRequest(post(JSON.stringify({ refs: ['prompts/extraction'], ...body })))
      assert.equal(answer.status, status, answer.text())
      if (status === 400) assert.equal(answer.json().code, 'CALLER_INVALID')
    }
  })
})

describe('a body is read last', () => {
  let worker
  before(async () => {
    worker = await start({ vars: { KV_TIMEOUT_MS: '300', READ_TOKENS: '{}' } })
  })
  after(() => worker?.stop())

  /** The answer to a request whose body never comes. */
  const answered = (path, headers) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(worker.url)
      const request = http.request({ hostname, port, agent: false, path, method: 'POST', headers }, (answer) => {
        request.destroy()
        resolve(answer.statusCode)
      })
      request.on('error', reject)
      request.flushHeaders()
    })

  for (const { status, path } of [
    { status: 404, path: '/nothing' },
    { status: 405, path: SLOT },
    { status: 401, path: '/resolve' },
  ]) {
    test(`${status} for POST ${path}`, async () => {
      assert.equal(await answered(path, { ...JSON_BODY, 'content-length': 1000 }), status)
    })
  }

  test('413 for a Content-Length that is too large, 400 for a body that does not come', async () => {
    const open = await start({ vars: { KV_TIMEOUT_MS: '300' } })
    try {
      const closed = worker
      worker = open
      assert.equal(await answered('/resolve', { ...JSON_BODY, 'content-length': MAX_BODY + 1 }), 413)
      assert.equal(await answered('/resolve', { ...JSON_BODY, 'content-length': 1000 }), 400)
      worker = closed
    } finally {
      await open.stop()
    }
  })
})

const SIGNALS = { 'the runtime says so': undefined, 'the runtime does not say so': [] }
for (const [name, compatibilityFlags] of Object.entries(SIGNALS)) {
  describe(`cancelled requests, and ${name}`, () => {
    let worker
    before(async () => {
      worker = await start({ compatibilityFlags })
    })
    after(() => worker?.stop())
    afterEach(() => {
      worker.kv.beforeRead = undefined
    })

    test('10,000 of them: the memory grows by less than 4 MiB, and others are answered', async () => {
      hangOn(worker, 'attack')
      const grown = await growth(worker, async () => {
        const attacks = async () => {
          await cancelled(worker, posts(400, 'attack'), 100)
          await cancelled(worker, gets(9_600, 'attack'), 400)
        }
        assert.deepEqual(await innocents(worker, attacks), [200, '404 SLOT_UNKNOWN'])
      })
      assert.ok(grown <= 4 * MIB, `${grown} bytes`)
    })
  })
}

test('requests that are given up get 503, and the others their own answers', async () => {
  const worker = await start()
  try {
    hangOn(worker, 'attack')
    const attack = gets(2_500, 'attack').map(
      (request) =>
        new Promise((resolve) => {
          send(worker, request).on('response', async (answer) => {
            const body = JSON.parse(Buffer.concat(await answer.toArray()).toString())
            resolve(
              [answer.statusCode, body.code, answer.headers['retry-after'], answer.headers['content-type']].join(),
            )
          })
        }),
    )
    const kinds = new Set(await Promise.all(attack))
    const problem = (code) => `503,${code},5,application/problem+json`
    assert.deepEqual([...kinds].sort(), [problem('ISOLATE_OVERLOADED'), problem('STORE_UNAVAILABLE')])
    assert.equal((await worker.fetch(SLOT)).status, 200)
    assert.ok(worker.output.includes('"code":"ISOLATE_OVERLOADED"'))
  } finally {
    await worker.stop()
  }
})

test('requests on the fast lane that are given up get 503, and the others their content', async () => {
  // No content is kept, so each answer of the lane waits for one.
  const worker = await start({ vars: { CONTENT_MEMORY: '0', KV_TIMEOUT_MS: '20000' } })
  try {
    assert.match((await worker.fetch(SLOT)).headers['server-timing'], /desc="kv"$/)
    const answersAll = Promise.withResolvers()
    let waiting = 0
    worker.kv.beforeRead = ({ namespace }) => {
      if (namespace !== 'COMPONENTS') return undefined
      waiting += 1
      return answersAll.promise
    }
    const count = 1_500
    const sent = Array.from({ length: count }, () => worker.rawRequest({ path: SLOT, agent: undefined }))
    while (waiting < count) await setTimeout(10)
    answersAll.resolve(undefined)
    const outcomes = Object.groupBy(await Promise.all(sent), outcomeOf)
    assert.deepEqual(Object.keys(outcomes).sort(), ['200', '503 ISOLATE_OVERLOADED'])
    const answered = outcomes['200']?.length ?? 0
    assert.ok(answered > 500 && answered < 1_000, `${answered} were answered`)
    worker.kv.beforeRead = undefined
    assert.equal((await worker.fetch(SLOT)).status, 200)
  } finally {
    await worker.stop()
  }
})
