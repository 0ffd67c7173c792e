// Checks the caching headers with a real HTTP cache in front of the built Worker.
import assert from 'node:assert/strict'
import { execFile as run } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, mock, test } from 'node:test'
import { promisify } from 'node:util'

import { temporaryFolder } from '../cli/support/repo.mjs'
import { HttpCache } from './shared-cache.mjs'
import { put, serveVectors } from './vectors.mjs'

const execFile = promisify(run)

const SLOT = '/components/prompts/extraction@production'
const EXACT = '/components/prompts/extraction@v1.0.0'
const OLD = 'Extract the fields.\n'
const NEW = 'Extract the fields of “invoice”.\r\n'
const KEY = 'component-version-key'
const DAY = 86_400_000

let worker
let script

async function behindCache(file, options) {
  ;({ worker, script } = await serveVectors(file))
  return new HttpCache(worker, options)
}

/** Moves production to the version of another slot record. */
function moveTo(record) {
  const slot = structuredClone(script.kv.SLOTS['prompts/extraction@production'])
  const { version, digest, size, type, sha, date } = record
  slot.targets = [{ slot: 'production', version, digest, size, type, sha, date, weight: 100_000 }]
  put(worker.kv, { SLOTS: { 'prompts/extraction@production': slot } })
}

const record = (version) => script.kv.COMPONENTS[`prompts/extraction@${version}`]

function travel(milliseconds) {
  const then = Date.now() + milliseconds
  mock.method(Date, 'now', () => then)
}

const origins = (answers) => answers.map(({ from }) => from)
const texts = (answers) => answers.map(({ text }) => text)

async function several(cache, requests) {
  const answers = []
  for (const [path, headers] of requests) answers.push(await cache.fetch(path, headers))
  return answers
}

afterEach(async () => {
  mock.restoreAll()
  await worker?.stop()
})

describe('a shared cache', () => {
  test('revalidates a slot for each request, so that a move takes effect immediately', async () => {
    const cache = await behindCache('answers.json')
    const before = await several(cache, [[SLOT], [SLOT], [SLOT]])
    assert.deepEqual(origins(before), ['worker', 'revalidated', 'revalidated'])
    moveTo(record('v1.1.0'))
    const after = await several(cache, [[SLOT], [SLOT]])
    assert.deepEqual(origins(after), ['worker', 'revalidated'])
    assert.deepEqual(texts([...before, ...after]), [OLD, OLD, OLD, NEW, NEW])
    assert.deepEqual(
      cache.asked.map(({ status }) => status),
      [200, 304, 304, 200, 304],
    )
  })

  test('learns from a 304 that the same bytes are now another version', async () => {
    const cache = await behindCache('answers.json')
    moveTo(record('v1.1.0'))
    assert.equal((await cache.fetch(SLOT)).headers['component-version'], 'v1.1.0')
    moveTo(record('v1.1.0+build.7'))
    const answer = await cache.fetch(SLOT)
    assert.equal(answer.from, 'revalidated')
    assert.equal(answer.headers['component-version'], 'v1.1.0+build.7')
    assert.equal(answer.headers['content-location'], '/components/prompts/extraction@v1.1.0%2Bbuild.7')
  })

  test('never requests an exact version again, even if the Worker has gone', async () => {
    const cache = await behindCache('answers.json')
    assert.equal((await cache.fetch(EXACT)).from, 'worker')
    await worker.stop()
    for (const days of [0, 30, 300]) {
      travel(days * DAY)
      assert.deepEqual(origins([await cache.fetch(EXACT)]), ['cache'])
    }
    assert.equal((await cache.fetch(EXACT)).text, OLD)
    assert.equal(cache.asked.length, 1)
  })

  test('keeps a digest forever, and revalidates a range and a missing reference each time', async () => {
    const cache = await behindCache('references.json')
    const digest = `/components/prompts/extraction@sha256:${record('v1.0.0').digest}`
    const expected = /** @type {[path: string, from: string[]][]} */ ([
      [digest, ['worker', 'cache']],
      ['/components/prompts/extraction@~1.0', ['worker', 'revalidated']],
      ['/components/prompts/extraction', ['worker', 'revalidated']],
    ])
    for (const [path, from] of expected) assert.deepEqual(origins(await several(cache, [[path], [path]])), from, path)
  })

  test('tells the slots of two hosts apart', async () => {
    const cache = await behindCache('references.json')
    const path = '/components/prompts/extraction'
    const green = { host: 'green.example.com' }
    const answers = await several(cache, [[path], [path, green], [path], [path, green]])
    assert.deepEqual(texts(answers), [OLD, NEW, OLD, NEW])
  })

  test('keeps no error: what appears is served', async () => {
    const cache = await behindCache('answers.json')
    const missing = '/components/prompts/extraction@canary'
    assert.equal((await cache.fetch(missing)).status, 404)
    const slot = { ...script.kv.SLOTS['prompts/extraction@staging'], slot: 'canary' }
    put(worker.kv, { SLOTS: { 'prompts/extraction@canary': slot } })
    assert.equal((await cache.fetch(missing)).status, 200)
  })
})

describe('splits behind a shared cache', () => {
  const caller = (key) => [SLOT, { [KEY]: key }]

  test('each version key has its own answer, through Vary', async () => {
    const cache = await behindCache('splits.json')
    const answers = await several(cache, ['u15', 'u0', 'u15', 'u0'].map(caller))
    assert.deepEqual(texts(answers), [NEW, OLD, NEW, OLD])
    assert.deepEqual(origins(answers), ['worker', 'worker', 'revalidated', 'revalidated'])
    assert.deepEqual(
      cache.asked.map(({ conditional }) => conditional),
      [false, false, true, true],
    )
    assert.equal(cache.size, 2)
  })

  test('overrides and segments have their own answers', async () => {
    const cache = await behindCache('splits.json')
    const both = '/components/prompts/extraction@live'
    const ways = [{}, { 'component-segment': 'beta' }, { 'component-version-override': 'v1.1.0' }]
    const first = await several(
      cache,
      ways.map((headers) => [both, headers]),
    )
    const second = await several(
      cache,
      ways.map((headers) => [both, headers]),
    )
    assert.deepEqual(origins(first), ['worker', 'worker', 'worker'])
    assert.deepEqual(origins(second), ['revalidated', 'revalidated', 'revalidated'])
    assert.deepEqual(texts(second), texts(first))
    assert.notEqual(first[0].text, first[1].text)
  })

  test('a random answer is not stored', async () => {
    for (const shared of [true, false]) {
      const cache = await behindCache('splits.json', { shared })
      const drawn = '/components/prompts/extraction@drawn'
      const answers = await several(cache, [[drawn], [drawn]])
      assert.deepEqual(
        answers.map(({ headers }) => headers['component-assignment']),
        ['random', 'random'],
      )
      assert.deepEqual(origins(answers), ['worker', 'worker'])
      assert.equal(cache.size, 0)
      await worker.stop()
    }
  })
})

describe('with tokens', () => {
  const bearer = { authorization: 'Bearer all' }

  test('a shared cache stores nothing', async () => {
    const cache = await behindCache('access.json')
    const answers = await several(cache, [[EXACT, bearer], [EXACT], [SLOT, bearer], [SLOT]])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 200, 401],
    )
    assert.equal(cache.size, 0)
  })

  test('a private cache stores an exact version for its token only', async () => {
    const cache = await behindCache('access.json', { shared: false })
    const other = { authorization: 'Bearer prod' }
    const answers = await several(cache, [
      [EXACT, bearer],
      [EXACT, bearer],
      [EXACT, other],
    ])
    assert.deepEqual(origins(answers), ['worker', 'cache', 'worker'])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 404],
    )
  })
})

describe('curl, which compares dates', () => {
  test('gets the version of a slot that was moved to an earlier one', async () => {
    ;({ worker, script } = await serveVectors('answers.json'))
    moveTo(record('v1.1.0'))
    const file = path.join(temporaryFolder('curl'), 'prompt.md')
    const fetchNewer = (address) =>
      execFile('curl', [
        '--silent',
        '--fail',
        '--time-cond',
        file,
        '--remote-time',
        '--output',
        file,
        worker.url + address,
      ])
    for (const slot of [SLOT, '/components/prompts/extraction@~1.0']) {
      writeFileSync(file, NEW)
      moveTo(record('v1.0.0'))
      await fetchNewer(slot)
      assert.equal(readFileSync(file, 'utf8'), OLD, slot)
    }
  })
})
