// An isolate of Cloudflare has 128 MB. Here the Wasm cannot have more, while requests that are made to fill it
// come one kind after another, and innocent requests are answered all the while.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { builtModules } from './harness/config.mjs'
import { MEMORY_PATH, withMemory } from './harness/memory.mjs'
import { withMemoryLimit } from './harness/wasm-limit.mjs'
import { bytesOf, putSlot } from './stored.mjs'
import { serveVectors } from './vectors.mjs'

const MIB = 1 << 20
const LIMIT = 128 * MIB
const SLOT = '/components/prompts/extraction@production'

/** The built modules, with the Wasm limited. */
const limited = (bytes) =>
  builtModules().map((module) =>
    module.name.endsWith('.wasm')
      ? { name: module.name, source: withMemoryLimit(readFileSync(module.file), bytes) }
      : module,
  )

const post = (body, headers = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: 'POST', path: '/resolve', headers: { 'content-type': 'application/json', ...headers }, body: text }
}

const list = (count, item) => Array.from({ length: count }, (_, at) => item(at))
const strangers = (tag) => list(100, (at) => `prompts/${tag}-${at}@production`)

/** Sends a request; returns what its client can close. */
function send(worker, { body, ...options }) {
  const { hostname, port } = new URL(worker.url)
  const sent = http.request({ hostname, port, agent: false, ...options })
  sent.on('error', () => {})
  sent.end(body)
  return sent
}

/** A number that the reads of keys with `tag` add to; they never end. */
function hangOn(worker, tag) {
  const hanging = { count: 0 }
  worker.kv.beforeRead = ({ keys }) => {
    if (!keys.some((key) => key.includes(tag))) return undefined
    hanging.count += 1
    return new Promise(() => {})
  }
  return hanging
}

/** Sends requests in groups, and disconnects each group when all its reads hang. */
async function cancelled(worker, count, request, atOnce) {
  const hanging = hangOn(worker, 'attack')
  for (let from = 0; from < count; from += atOnce) {
    const sent = list(atOnce, (at) => send(worker, request(from + at)))
    while (hanging.count < from + atOnce) await setTimeout(5)
    for (const { socket } of sent) socket.resetAndDestroy()
  }
  worker.kv.beforeRead = undefined
}

/** Sends requests whose clients disconnect at the first bytes of the response. */
async function abandoned(worker, count, request, atOnce) {
  for (let from = 0; from < count; from += atOnce) {
    const begun = list(atOnce, () => {
      const sent = send(worker, request)
      return new Promise((resolve) => {
        sent.on('close', resolve)
        sent.on('response', (response) => {
          response.on('error', () => {})
          response.once('data', () => response.destroy())
        })
      })
    })
    await Promise.all(begun)
  }
}

/** Sends a request again and again; each has this status. */
async function repeated(worker, count, request, status) {
  for (let at = 0; at < count; at += 1) {
    const answer = await worker.rawRequest(request)
    assert.equal(answer.status, status, answer.text().slice(0, 300))
  }
}

const CONTENTS = list(100, (at) => `part-${at}`)
const WIDE = list(16_000, () => 'a')
const PADDED = Buffer.alloc(63 << 10, ' ')

/** The attacks: how often each comes, and how far it may make the memory grow. */
const ATTACKS = {
  '100 references with 16,000 segments': {
    limit: 2 * MIB,
    run: (worker) => repeated(worker, 20, post({ refs: list(100, (at) => `a/${at}`), segments: WIDE }), 400),
  },
  '100 references with all segments that are accepted': {
    limit: 2 * MIB,
    run: (worker) =>
      repeated(worker, 20, post({ refs: strangers('full'), segments: list(32, (at) => `${at}`.padEnd(64, 's')) }), 200),
  },
  'bodies of 2 MiB, and of 63 KiB of blanks': {
    limit: 2 * MIB,
    async run(worker) {
      await repeated(worker, 20, post(' '.repeat(2 * MIB), { 'transfer-encoding': 'chunked' }), 413)
      await repeated(worker, 20, post(PADDED.toString()), 400)
    },
  },
  'the contents of 100 references, 8 MiB': {
    limit: 2 * MIB,
    run: (worker) =>
      repeated(worker, 10, post({ refs: CONTENTS.map((slot) => `prompts/large@${slot}`), content: true }), 200),
  },
  'two contents of 4 MiB, by clients that disconnect': {
    limit: 2 * MIB,
    run: (worker) =>
      abandoned(worker, 40, post({ refs: ['prompts/large@half', 'prompts/large@half'], content: true }), 4),
  },
  'contents of 24 MiB, by clients that disconnect': {
    limit: 2 * MIB,
    run: (worker) => abandoned(worker, 200, { path: '/components/prompts/large@most' }, 8),
  },
  '10,000 cancelled /resolve of 100 references': {
    limit: 4 * MIB,
    run: (worker) => cancelled(worker, 10_000, () => post({ refs: strangers('attack') }), 100),
  },
  '10,000 cancelled GETs': {
    limit: 4 * MIB,
    run: (worker) => cancelled(worker, 10_000, (at) => ({ path: `/components/prompts/attack-${at}@latest` }), 200),
  },
}

describe('an isolate with 128 MiB of Wasm memory', () => {
  let worker
  before(async () => {
    const started = await serveVectors('answers.json', {
      modules: withMemory(limited(LIMIT)),
      vars: { KV_TIMEOUT_MS: '2000' },
    })
    worker = started.worker
    for (const [at, slot] of CONTENTS.entries()) putSlot(worker.kv, slot, Buffer.alloc(80 << 10, `${at} `))
    putSlot(worker.kv, 'half', Buffer.alloc(4 * MIB, 'x'))
    putSlot(worker.kv, 'most', bytesOf(24 * MIB))
    await repeated(worker, 3, post({ refs: strangers('warm') }), 200)
    await repeated(worker, 3, { path: SLOT }, 200)
  })
  after(() => worker?.stop())

  const memory = async () => Number((await worker.fetch(MEMORY_PATH)).text())

  /** Requests that have nothing to do with the attack: each has its own answer, all the while. */
  const INNOCENT = [
    [{ path: SLOT }, 200],
    [{ path: `${SLOT}?explain` }, 200],
    [{ path: '/components/prompts/extraction@v1.0.0' }, 200],
    [{ path: '/components/prompts/extraction@none' }, 404],
    [post({ refs: ['prompts/extraction@production'], content: true }), 200],
  ]

  /** Runs an attack while innocent requests come; returns how many were answered. */
  async function during(attack) {
    let attacking = true
    const ended = attack.finally(() => {
      attacking = false
    })
    let answered = 0
    for (; attacking; answered += 1) {
      const [request, status] = INNOCENT[answered % INNOCENT.length]
      const answer = await worker.rawRequest(request)
      assert.equal(answer.status, status, answer.text().slice(0, 300))
      await setTimeout(5)
    }
    await ended
    return answered
  }

  test('stays within it under every attack, and answers everybody else', async (t) => {
    const first = await memory()
    for (const [name, { limit, run }] of Object.entries(ATTACKS)) {
      const before = await memory()
      const answered = await during(run(worker))
      const grown = (await memory()) - before
      t.diagnostic(`${name}: ${Math.round(grown / 1024)} KiB, ${answered} others answered`)
      assert.ok(grown <= limit, `${name}: ${grown} bytes`)
      assert.ok(answered > 0, name)
    }
    const all = (await memory()) - first
    assert.ok(all <= 8 * MIB, `all together: ${all} bytes`)
  })
})

test('the limit is that of the Wasm: no module is valid whose memory is larger from the start', () => {
  const { file } = builtModules().find(({ name }) => name.endsWith('.wasm')) ?? {}
  const wasm = readFileSync(String(file))
  // The types of Workers have the types of WebAssembly only.
  const { validate } = /** @type {any} */ (globalThis).WebAssembly
  assert.ok(validate(withMemoryLimit(wasm, LIMIT)))
  assert.ok(validate(withMemoryLimit(withMemoryLimit(wasm, LIMIT), 64 * MIB)))
  assert.ok(!validate(withMemoryLimit(wasm, 64 << 10)))
})
