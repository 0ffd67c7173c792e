// Contents of more than 1 MiB are sent while they are read: the memory stays bounded, and no client
// takes a wrong content for a whole one.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { createClient } from '../../client/index.js'
import { startWorker } from './harness/workerd.mjs'
import { bytesOf, putRange, putSlot, sha256 } from './stored.mjs'

const MIB = 1 << 20
const LARGE = bytesOf(24 * MIB)
const PATH = '/components/prompts/large@production'

/** `count` results of `work`, all at once. */
const atOnce = (count, work) => Promise.all(Array.from({ length: count }, (_, at) => work(at)))

/**
 * Sends a request and reads its response up to the end or to a failure: the status, the bytes, and
 * whether the response was complete.
 */
function receive(worker, path) {
  return new Promise((resolve, reject) => {
    const request = http.get(new URL(path, worker.url), { agent: false }, (response) => {
      const chunks = []
      const end = (complete) => resolve({ status: response.statusCode, bytes: Buffer.concat(chunks), complete })
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => end(true))
      response.on('error', () => end(false))
    })
    request.on('error', reject)
  })
}

/** Sends a request whose client stops reading at the headers of the response. */
function begin(worker, path) {
  return new Promise((resolve, reject) => {
    const request = http.get(new URL(path, worker.url), { agent: false }, (response) => {
      response.on('error', () => {})
      resolve(response)
    })
    request.on('error', reject)
  })
}

/** The highest resident memory of a process since its mark was reset, in bytes (Linux). */
function resident(pid) {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

/** Resets that mark to the memory that is resident now: proc_pid_clear_refs(5). */
const reset = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** The bytes by which `work` makes the highest resident memory grow. */
async function growth(worker, work) {
  reset(worker.pid)
  const before = resident(worker.pid)
  await work()
  return resident(worker.pid) - before
}

const interruptions = (worker) =>
  worker.output
    .split('\n')
    .filter((line) => line.includes('"interrupted"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))))

/** Waits until `condition` holds. */
async function until(condition, what) {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 500, `timed out: ${what}`)
    await setTimeout(20)
  }
}

describe('a large content', () => {
  let worker
  let key
  before(async () => {
    worker = await startWorker({ vars: { KV_TIMEOUT_MS: '500' } })
  })
  after(() => worker?.stop())

  /** Stores the content again, in a Worker that does not doubt it. */
  async function fresh() {
    await worker.stop()
    worker = await startWorker({ vars: { KV_TIMEOUT_MS: '500' } })
    key = putSlot(worker.kv, 'production', LARGE)
  }
  before(fresh)
  afterEach(fresh)

  test('eight at once keep a few chunks each in memory', { skip: !existsSync('/proc/self/clear_refs') }, async () => {
    const digest = sha256(LARGE)
    await receive(worker, PATH)
    const grown = await growth(worker, () =>
      atOnce(8, async () => {
        const { status, bytes, complete } = await receive(worker, PATH)
        assert.deepEqual([status, complete, sha256(bytes)], [200, true, digest])
      }),
    )
    assert.ok(grown < 64 * MIB, `${Math.round(grown / MIB)} MiB`)
  })

  test('clients that do not read keep nothing in memory', { skip: !existsSync('/proc/self/clear_refs') }, async () => {
    await receive(worker, PATH)
    const grown = await growth(worker, async () => {
      const responses = await atOnce(16, () => begin(worker, PATH))
      await setTimeout(1_000)
      assert.equal((await receive(worker, PATH)).bytes.length, LARGE.length)
      for (const { socket } of responses) socket.destroy()
    })
    assert.ok(grown < 64 * MIB, `${Math.round(grown / MIB)} MiB`)
  })

  test('the response has its length, and is read from KV each time', async () => {
    for (const turn of [1, 2]) {
      const answer = await worker.fetch(PATH)
      assert.equal(answer.headers['content-length'], String(LARGE.length))
      assert.equal(answer.headers['server-timing'], `kv;desc="reads=2", content;desc="kv"`, `turn ${turn}`)
      assert.equal(sha256(answer.body), sha256(LARGE))
    }
    assert.equal(worker.kv.count('COMPONENTS'), 2)
  })

  test('HEAD and 304 read no content, also after a GET', async () => {
    await worker.fetch(PATH)
    worker.kv.forget()
    const headers = { 'if-none-match': `"${sha256(LARGE)}"` }
    for (const turn of [1, 2]) {
      const head = await worker.fetch(PATH, { method: 'HEAD' })
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(LARGE.length)], `turn ${turn}`)
      assert.equal((await worker.fetch(PATH, { headers })).status, 304)
    }
    assert.equal(worker.kv.count('COMPONENTS'), 0)
  })

  const WRONG = {
    'other bytes of the same length': () => Buffer.from(LARGE).fill(0, LARGE.length - 1),
    'fewer bytes': () => LARGE.subarray(0, -1),
    'more bytes': () => Buffer.concat([LARGE, Buffer.from('x')]),
    'more bytes than two chunks': () => Buffer.concat([LARGE, bytesOf(128 << 10)]),
    'no bytes': () => Buffer.alloc(0),
  }
  for (const [name, wrong] of Object.entries(WRONG)) {
    test(`${name}: no client gets a whole content; then 502, until it is mended`, async () => {
      worker.kv.put('COMPONENTS', key, wrong())
      const { status, bytes, complete } = await receive(worker, PATH)
      assert.deepEqual([status, complete], [200, false])
      assert.ok(bytes.length < LARGE.length, `${bytes.length} bytes`)
      await until(() => interruptions(worker).length === 1, 'the log line')
      const [{ interrupted, code, scriptVersion }] = interruptions(worker)
      assert.deepEqual([interrupted, code], [sha256(LARGE), 'DIGEST_MISMATCH'])
      assert.match(scriptVersion, /^[0-9a-f-]{36}$/)

      worker.kv.forget()
      const refused = await worker.fetch(PATH)
      assert.deepEqual([refused.status, refused.json().code], [502, 'DIGEST_MISMATCH'])
      const reads = worker.kv.reads.filter(({ namespace }) => namespace === 'COMPONENTS')
      assert.deepEqual(
        reads.map(({ cacheTtl }) => cacheTtl),
        [30],
      )

      worker.kv.put('COMPONENTS', key, LARGE)
      assert.equal(sha256((await receive(worker, PATH)).bytes), sha256(LARGE))
      worker.kv.forget()
      assert.equal((await receive(worker, PATH)).complete, true)
      assert.equal(worker.kv.count('COMPONENTS'), 1)
    })
  }

  for (const difference of [-(128 << 10), -1, 1]) {
    test(`a record with a size that differs by ${difference}: no whole content; then 502, until it is mended`, async () => {
      const size = LARGE.length + difference
      putSlot(worker.kv, 'production', LARGE, { size })
      const { status, bytes, complete } = await receive(worker, PATH)
      assert.deepEqual([status, complete], [200, false])
      assert.ok(bytes.length < size, `${bytes.length} bytes`)
      await until(() => interruptions(worker).length === 1, 'the log line')
      const [{ interrupted, code }] = interruptions(worker)
      assert.deepEqual([interrupted, code], [sha256(LARGE), 'DIGEST_MISMATCH'])

      const refused = await worker.fetch(PATH)
      assert.deepEqual([refused.status, refused.json().code], [502, 'RECORD_UNREADABLE'])
      assert.match(refused.json().detail, new RegExp(`the size is ${size}, but the content has ${LARGE.length} bytes`))

      putSlot(worker.kv, 'production', LARGE)
      assert.equal(sha256((await receive(worker, PATH)).bytes), sha256(LARGE))
    })
  }

  for (const mode of ['truncated', 'stall']) {
    test(`${mode} while it is sent: the response breaks off, and the next one is right`, async () => {
      worker.kv.fail(mode, { key, times: 1 })
      const { status, complete } = await receive(worker, PATH)
      assert.deepEqual([status, complete], [200, false])
      await until(() => interruptions(worker).length === 1, 'the log line')
      assert.equal(interruptions(worker)[0].code, 'STORE_UNAVAILABLE')
      assert.equal(sha256((await receive(worker, PATH)).bytes), sha256(LARGE))
    })
  }

  test('a client that goes away ends the read, and nothing is logged as an interruption', async () => {
    let open = true
    worker.kv.afterRead = ({ keys }) => {
      if (keys.includes(key)) open = false
    }
    const response = await begin(worker, PATH)
    await setTimeout(300)
    assert.ok(open, 'the client that does not read holds up the read of Workers KV')
    response.socket.destroy()
    await until(() => !open, 'the end of the read of Workers KV')
    assert.deepEqual(interruptions(worker), [])
    assert.equal((await receive(worker, PATH)).complete, true)
  })

  test('without the new content, the last good large one is served', async () => {
    assert.equal((await receive(worker, PATH)).complete, true)
    const next = bytesOf(2 * MIB)
    const missing = putSlot(worker.kv, 'production', next, { version: 'v1.1.0' })
    worker.kv.delete('COMPONENTS', missing)
    const answer = await worker.fetch(PATH)
    assert.deepEqual([answer.status, answer.headers['component-version']], [200, 'v1.0.0'])
    assert.match(answer.headers['component-stale'], /^\d+$/)
    assert.equal(sha256(answer.body), sha256(LARGE))
  })

  test('a range that leads to a large content keeps its last good answer', async () => {
    const range = '/components/prompts/large@%5E1'
    putRange(worker.kv, LARGE)
    assert.equal(sha256((await receive(worker, range)).bytes), sha256(LARGE))
    for (const namespace of ['COMPONENTS', 'SLOTS']) worker.kv.fail({ status: 500 }, { namespace })
    const head = await worker.fetch(range, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers['component-version']], [200, 'v1.0.0'])
    assert.match(head.headers['component-stale'], /^\d+$/)
    const unchanged = await worker.fetch(range, { headers: { 'if-none-match': `"${sha256(LARGE)}"` } })
    assert.equal(unchanged.status, 304)
    assert.match(unchanged.headers['component-stale'], /^\d+$/)
  })

  test('the client tries again if a response breaks off, and never takes wrong bytes', async () => {
    const reference = 'prompts/large@production'
    const client = createClient(worker.url, { backoff: 10, memory: 0 })
    worker.kv.fail('truncated', { key, times: 1 })
    const component = await client.get(reference)
    assert.equal(sha256(Buffer.from(component.bytes)), sha256(LARGE))
    worker.kv.put('COMPONENTS', key, Buffer.alloc(LARGE.length))
    await assert.rejects(client.get(reference), ({ status, problem }) => {
      assert.deepEqual([status, problem.code], [502, 'DIGEST_MISMATCH'])
      return true
    })
  })

  test('503 if COMPONENTS does not answer', async () => {
    worker.kv.fail({ status: 500 }, { namespace: 'COMPONENTS' })
    const answer = await worker.fetch(PATH)
    assert.deepEqual([answer.status, answer.json().code], [503, 'STORE_UNAVAILABLE'])
  })
})
