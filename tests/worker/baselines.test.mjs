// Checks that the baselines of the benchmark give the same answers as the Worker, so that no variant is
// faster by doing less.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { startFloor } from '../../bench/lib/ladder.mjs'
import { ownHeaders, recordAnswer } from '../../bench/lib/record.mjs'
import { startVariants } from '../../bench/lib/variants.mjs'
import { requests } from '../../bench/lib/workloads.mjs'

const comparable = ({ status, headers, body }) => ({
  status,
  headers: ownHeaders(headers),
  body: createHash('sha256').update(body).digest('hex'),
})

const lines = ({ output }) =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

describe('the baselines answer like the resolver', () => {
  let variants
  before(async () => {
    variants = await startVariants(['ours', 'pointer', 'optimised', 'ours-forgetful', 'pointer-forgetful'])
  })
  after(() => variants?.stop())

  const ask = async (worker, { headers = {}, ...request }, at) => {
    const sent = typeof headers === 'function' ? headers(at) : headers
    return comparable(await worker.rawRequest({ ...request, headers: sent }))
  }

  /** Sends the same request to all variants, often enough to warm every cache. */
  async function same(load, [first, ...others]) {
    const { workers } = variants
    const request = requests(workers.ours.digest)[load]
    for (let at = 0; at < 20; at += 1) {
      const expected = await ask(workers[first], request, at)
      assert.equal(expected.status, request.status)
      for (const other of others) {
        assert.deepEqual(await ask(workers[other], request, at), expected, `${other}, request ${at}`)
      }
    }
  }

  for (const load of ['slot', 'revalidated', 'head', 'split', 'large', 'exact']) {
    test(load, () => same(load, ['ours', 'pointer', 'optimised']))
  }
  test('a slot whose content is never in memory', () => same('slot', ['ours-forgetful', 'pointer-forgetful']))

  test('while KV hangs', async () => {
    const vars = { KV_TIMEOUT_MS: '300' }
    const hung = await startVariants(['ours', 'pointer', 'optimised'], { vars })
    const [slot, exact] = ['slot', 'exact'].map((load) => requests(hung.workers.ours.digest)[load])
    try {
      for (const [namespace, request, status] of [
        ['SLOTS', slot, 503],
        ['COMPONENTS', slot, 503],
        ['COMPONENTS', exact, 503],
        [null, slot, 200],
        [null, slot, 200],
        ['SLOTS', slot, 200],
        ['COMPONENTS', slot, 200],
      ]) {
        const answers = await Promise.all(
          Object.values(hung.workers).map(async (worker) => {
            worker.kv.heal()
            if (namespace) worker.kv.fail('hang', { namespace })
            return ask(worker, request)
          }),
        )
        assert.equal(answers[0].status, status, `${namespace}: ${request.path}`)
        for (const other of answers) assert.deepEqual(other, answers[0])
      }
      const [ours, ...others] = Object.values(hung.workers).map(lines)
      assert.equal(ours.length, 7)
      for (const other of others) assert.deepEqual(other, ours)
    } finally {
      await hung.stop()
    }
  })

  test('with the same log lines', async () => {
    const { ours, pointer, optimised } = variants.workers
    assert.ok(lines(ours).length > 100)
    assert.deepEqual(lines(pointer), lines(ours))
    assert.deepEqual(lines(optimised), lines(ours))
  })

  test('the floor sends the same bytes, headers and log line after one read', async () => {
    const { ours } = variants.workers
    const floor = await startFloor('timeout', await recordAnswer(ours, requests(ours.digest).slot.path))
    try {
      const { slot } = requests(ours.digest)
      const [expected, line] = [await ask(ours, slot, 0), lines(ours).at(-1)]
      floor.kv.forget()
      assert.deepEqual(await ask(floor, slot, 0), expected)
      assert.deepEqual([lines(floor).at(-1), floor.kv.count()], [line, 1])
    } finally {
      await floor.stop()
    }
  })
})
