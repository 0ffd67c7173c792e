import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'

import { murmur3, point, splitSlot } from './assignment.mjs'
import { startKvServer } from './harness/kv-server.mjs'
import { rawRequest } from './harness/request.mjs'
import { startWorker } from './harness/workerd.mjs'

const golden = JSON.parse(readFileSync(new URL('../vectors/assignment.json', import.meta.url), 'utf8')).cases
const COMPONENT = 'prompts/extraction'

const ask = (worker, slot, key) =>
  worker.rawRequest({
    method: 'HEAD',
    path: `/components/${COMPONENT}@${slot}`,
    headers: { 'cloudflare-workers-version-key': key },
  })

const versionOf = async (worker, slot, key) => (await ask(worker, slot, key)).headers['component-version']

test('twenty lines of JavaScript replay every golden vector', () => {
  assert.ok(golden.length > 30)
  for (const { component, key, hash, point: expected } of golden) {
    assert.equal(murmur3(Buffer.from(`${component}\0${key}`)), hash)
    assert.equal(point(component, key), expected, `${component} ${key}`)
  }
})

describe('the served Worker', () => {
  let worker
  before(async () => {
    worker = await startWorker()
    for (const component of new Set(golden.map(({ component }) => component)))
      splitSlot(worker.kv, component, 'half', 50_000)
    for (const percent of [0, 5, 25, 100]) splitSlot(worker.kv, COMPONENT, `at-${percent}`, percent * 1_000)
  })
  after(() => worker?.stop())

  test('assigns every golden key correctly', async () => {
    for (const { component, key, point: expected } of golden.filter(({ key }) => key.trim() !== '')) {
      const path = `/components/${component}@half?explain&key=${encodeURIComponent(key)}`
      const explained = (await worker.fetch(path)).json()
      assert.deepEqual([explained.assignment, explained.point], ['key', expected], key)
      assert.equal(explained.version, expected < 50_000 ? 'v2.0.0' : 'v1.0.0')
    }
  })

  test('assigns the keys of 5 % also at 25 %, none at 0 % and all at 100 %', async () => {
    const counts = { 'at-0': 0, 'at-5': 0, 'at-25': 0, 'at-100': 0 }
    for (let n = 0; n < 500; n += 1) {
      const moved = {}
      for (const slot of Object.keys(counts)) {
        moved[slot] = (await versionOf(worker, slot, `user-${n}`)) === 'v2.0.0'
        counts[slot] += moved[slot]
      }
      assert.ok(!moved['at-5'] || moved['at-25'], `user-${n}`)
    }
    const near = (count, share) => Math.abs(count - 500 * share) <= 3 * Math.sqrt(500 * share * (1 - share))
    assert.deepEqual([counts['at-0'], counts['at-100']], [0, 500])
    assert.ok(near(counts['at-5'], 0.05) && near(counts['at-25'], 0.25), JSON.stringify(counts))
  })

  test('at 0 %, an override reaches the version', async () => {
    const path = `/components/${COMPONENT}@at-0`
    const headers = { 'component-version-override': 'v2.0.0' }
    const answer = await worker.rawRequest({ method: 'HEAD', path, headers })
    assert.equal(answer.headers['component-version'], 'v2.0.0')
  })
})

/** Sends each request to a random Worker, like a gradual deployment. */
function splittingProxy(workers) {
  const proxy = http.createServer(async ({ method, url: path, headers }, response) => {
    const worker = workers[Math.floor(Math.random() * workers.length)]
    const answer = await rawRequest(worker.url, { method, path, headers })
    response.writeHead(answer.status, answer.headers).end()
  })
  return new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(proxy)))
}

test('two script versions, released gradually, give every key the same component version', async () => {
  const kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map() })
  splitSlot(kv, COMPONENT, 'half', 50_000)
  const versions = ['old', 'new'].map((id) => ({ id, tag: id, timestamp: '2026-11-20T00:00:00Z' }))
  const workers = await Promise.all(versions.map((scriptVersion) => startWorker({ kv, scriptVersion })))
  const proxy = await splittingProxy(workers)
  const served = { rawRequest: (request) => rawRequest(`http://127.0.0.1:${proxy.address().port}`, request) }
  try {
    const scripts = new Set()
    for (let n = 0; n < 200; n += 1) {
      const expected = point(COMPONENT, `run-${n}`) < 50_000 ? 'v2.0.0' : 'v1.0.0'
      for (let again = 0; again < 3; again += 1) {
        const { headers } = await ask(served, 'half', `run-${n}`)
        scripts.add(headers['script-version'])
        assert.equal(headers['component-version'], expected)
      }
    }
    assert.deepEqual([...scripts].sort(), ['new', 'old'])
  } finally {
    proxy.closeAllConnections()
    proxy.close()
    await Promise.all(workers.map((worker) => worker.stop()))
    await kv.stop()
  }
})
