// Contents at the size limits are not truncated or re-encoded, and the memory stays bounded.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startWorker } from './harness/workerd.mjs'
import { bytesOf, putSlot, sha256 } from './stored.mjs'

const MIB = 1 << 20

describe('large contents', () => {
  const sizes = { small: 300 * 1024, kept: MIB, beyond: MIB + 1, most: 25 * MIB }
  let worker
  before(async () => {
    worker = await startWorker()
    for (const [slot, size] of Object.entries(sizes)) putSlot(worker.kv, slot, bytesOf(size))
  })
  after(() => worker?.stop())

  for (const [slot, size] of Object.entries(sizes)) {
    test(`${size} bytes are served unchanged, twice`, async () => {
      const expected = sha256(bytesOf(size))
      for (const from of ['kv', size <= MIB ? 'memory' : 'kv']) {
        const answer = await worker.fetch(`/components/prompts/large@${slot}`)
        assert.equal(answer.status, 200, answer.text())
        assert.equal(sha256(answer.body), expected)
        assert.equal(answer.headers['content-length'], String(size))
        assert.ok(answer.headers['server-timing'].endsWith(`content;desc="${from}"`))
      }
    })
  }

  test('HEAD gives the size and reads nothing', async () => {
    worker.kv.forget()
    const answer = await worker.fetch('/components/prompts/large@most', { method: 'HEAD' })
    assert.equal(answer.headers['content-length'], String(sizes.most))
    assert.equal(worker.kv.count('COMPONENTS'), 0)
  })
})
