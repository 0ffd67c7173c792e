// Many references of a component with 10,000 versions: its catalog is parsed once, not once for each, and
// ranges do not read it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { startWorker } from './harness/workerd.mjs'

const NAME = 'prompts/old'
const VERSIONS = 10_000

const version = (at) => ({
  format: 1,
  version: `v1.${at}.0`,
  digest: at.toString(16).padStart(64, '0'),
  size: 10,
  type: 'text/markdown; charset=utf-8',
  sha: 'dac23bda14820e5b79aa3328b0c5a597521fa03c',
  date: '2026-11-20T10:00:00Z',
  author: 'Ada',
  path: 'prompts/old.md',
})

let worker
before(async () => {
  worker = await startWorker()
  const catalog = { format: 1, versions: Array.from({ length: VERSIONS }, (_, at) => version(at)), slots: {} }
  worker.kv.put('COMPONENTS', NAME, JSON.stringify(catalog))
  const releases = catalog.versions.map(({ version, digest }) => `${version} ${digest}`).join()
  worker.kv.put('COMPONENTS', `${NAME}@ranges`, JSON.stringify({ format: 1, releases }))
  for (const record of catalog.versions) {
    worker.kv.put('COMPONENTS', `${NAME}@${record.version}`, JSON.stringify(record))
  }
})
after(() => worker?.stop())

const resolve = async (refs) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await worker.rawRequest({ method: 'POST', path: '/resolve', headers, body: JSON.stringify({ refs }) })
  assert.equal(answer.status, 200, answer.text())
  return answer.json().resolved
}

/** The shortest of a few times in milliseconds that one request takes. */
async function cost(refs) {
  const times = []
  for (let turn = 0; turn < 5; turn += 1) {
    const began = performance.now()
    await resolve(refs)
    times.push(performance.now() - began)
  }
  return Math.min(...times)
}

const hundred = (reference) => Array.from({ length: 100 }, (_, at) => `${NAME}@${reference(at)}`)

const KINDS = [
  {
    name: 'ranges',
    reference: (at) => `~1.${9_999 - at}`,
    expected: (entry, at) => assert.equal(entry.version, `v1.${9_999 - at}.0`),
  },
  {
    name: 'ranges with eight alternatives',
    reference: (at) => `${'2||'.repeat(7)}~1.${9_999 - at}`,
    expected: (entry, at) => assert.equal(entry.version, `v1.${9_999 - at}.0`),
  },
  {
    name: 'unknown slots',
    reference: (at) => `none-${at}`,
    expected: (entry) => assert.equal(entry.error.existing.versions.length, 20),
  },
  {
    name: 'unknown versions',
    reference: (at) => `v2.${at}.0`,
    expected: (entry) => assert.equal(entry.error.existing.versions[0], 'v1.9999.0'),
  },
]

test('a hundred ranges read the ranges record once, and never the catalog', async () => {
  worker.kv.forget()
  await resolve(hundred((at) => `~1.${at}`))
  const reads = worker.kv.reads.map(({ keys }) => keys)
  assert.deepEqual(reads[0], [`${NAME}@ranges`])
  assert.deepEqual([reads.length, reads[1].length, new Set(reads[1]).has(NAME)], [2, 100, false])
})

test('a GET of an unknown version reads five keys if there is one slot to search', async () => {
  worker.kv.forget()
  const answer = await worker.fetch(`/components/${NAME}@v3.0.0`)
  assert.deepEqual([answer.status, answer.json().code], [404, 'VERSION_UNKNOWN'])
  const version = `${NAME}@v3.0.0`
  const keys = worker.kv.reads.flatMap((read) => read.keys)
  assert.deepEqual(keys, [version, version, NAME, `${NAME}@production`, `${NAME}@ranges`])
})

for (const { name, reference, expected } of KINDS) {
  test(`a hundred ${name} cost little more than one`, async () => {
    const refs = hundred(reference)
    const entries = await resolve(refs)
    for (const [at, entry] of entries.entries()) expected(entry, at)
    const one = await cost(refs.slice(0, 1))
    const all = await cost(refs)
    // Parsing the catalog for each would cost a hundred times as much.
    assert.ok(all < 10 * one + 50, `${all} ms for a hundred, ${one} ms for one`)
  })
}
