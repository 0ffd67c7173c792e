// The assignment in twenty lines, which any client could use.

const rotate = (x, by) => (x << by) | (x >>> (32 - by))
const scramble = (k) => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593)

/** MurmurHash3, x86, 32 bits, seed 0. */
export function murmur3(bytes) {
  let hash = 0
  const blocks = bytes.length & ~3
  for (let at = 0; at < blocks; at += 4) {
    hash = (Math.imul(rotate(hash ^ scramble(bytes.readUInt32LE(at)), 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= blocks; at -= 1) tail = (tail << 8) | bytes[at]
  hash ^= scramble(tail) ^ bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The point of a component's caller, below 100,000. */
export const point = (component, key) =>
  Number((BigInt(murmur3(Buffer.from(`${component}\0${key}`))) * 100_000n) >> 32n)

function target(slot, version, weight) {
  return {
    slot,
    version,
    weight,
    digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    size: 0,
    type: 'text/plain',
    sha: 'dac23bda14820e5b79aa3328b0c5a597521fa03c',
    date: '2026-11-20T10:00:00Z',
  }
}

/** Stores a slot that gives v2.0.0 `canary` thousandths of a percent, and v1.0.0 the rest. */
export function splitSlot(kv, component, slot, canary) {
  const targets = [target('canary', 'v2.0.0', canary), target('production', 'v1.0.0', 100_000 - canary)]
  kv.put('SLOTS', `${component}@${slot}`, Buffer.from(JSON.stringify({ format: 1, slot, targets })))
}
