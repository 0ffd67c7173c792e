// Contents at the size limits are not truncated or re-encoded, and the memory stays bounded.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { startWorker } from './harness/workerd.mjs'

const MIB = 1 << 20

/** Bytes of every value, including a BOM and a NUL, with a period that differs from a chunk's size. */
function content(size) {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) + (at >> 16)) & 0xff
  return bytes
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

function put(kv, slot, bytes) {
  const digest = sha256(bytes)
  const target = {
    slot,
    version: 'v1.0.0',
    digest,
    size: bytes.length,
    type: 'application/octet-stream',
    sha: 'dac23bda14820e5b79aa3328b0c5a597521fa03c',
    date: '2026-11-20T10:00:00Z',
    weight: 100_000,
  }
  kv.put('COMPONENTS', `sha256/${digest}`, bytes)
  kv.put('SLOTS', `prompts/large@${slot}`, Buffer.from(JSON.stringify({ format: 1, slot, targets: [target] })))
}

describe('large contents', () => {
  const sizes = { small: 300 * 1024, below: 15 * MIB, beyond: 24 * MIB, most: 25 * MIB }
  let worker
  before(async () => {
    worker = await startWorker()
    for (const [slot, size] of Object.entries(sizes)) put(worker.kv, slot, content(size))
  })
  after(() => worker?.stop())

  for (const [slot, size] of Object.entries(sizes)) {
    test(`${size} bytes are served unchanged, twice`, async () => {
      const expected = sha256(content(size))
      for (const from of ['kv', size < 16 * MIB ? 'memory' : 'kv']) {
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
