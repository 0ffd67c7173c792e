import { createHash } from 'node:crypto'

/** Bytes of every value, including a BOM and a NUL, with a period that differs from a chunk's size. */
export function bytesOf(size) {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) + (at >> 16)) & 0xff
  return bytes
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

const contentKey = (digest) => `sha256/${digest}`

const snapshotOf = (version, digest, size) => ({
  version,
  digest,
  size,
  type: 'application/octet-stream',
  sha: 'dac23bda14820e5b79aa3328b0c5a597521fa03c',
  date: '2026-11-20T10:00:00Z',
})

/**
 * Stores a content, and a slot of `prompts/large` that names it; `size` is the one in the record.
 * Returns the key of the content.
 */
export function putSlot(kv, slot, bytes, { size = bytes.length, version = 'v1.0.0' } = {}) {
  const digest = sha256(bytes)
  const target = { slot, ...snapshotOf(version, digest, size), weight: 100_000 }
  kv.put('COMPONENTS', contentKey(digest), bytes)
  kv.put('SLOTS', `prompts/large@${slot}`, Buffer.from(JSON.stringify({ format: 1, slot, targets: [target] })))
  return contentKey(digest)
}

/** Stores a content, and v1.0.0 of `prompts/large` that names it, so that ranges find it. */
export function putRange(kv, bytes) {
  const digest = sha256(bytes)
  const record = { format: 1, ...snapshotOf('v1.0.0', digest, bytes.length), author: 'Ada', path: 'prompts/large.bin' }
  kv.put('COMPONENTS', contentKey(digest), bytes)
  kv.put('COMPONENTS', 'prompts/large@v1.0.0', JSON.stringify(record))
  kv.put('COMPONENTS', 'prompts/large@ranges', JSON.stringify({ format: 1, releases: `v1.0.0 ${digest}` }))
}
