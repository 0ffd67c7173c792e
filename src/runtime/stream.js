// Contents that are sent while they are read. Only a few chunks of one are in memory at a time,
// however slowly its client reads.
import { within } from './within.js'

/** The bytes that are read at once. */
const CHUNK = 64 << 10

/** The digests of contents whose bytes were wrong when they were last read: the latest ones. */
const doubted = new Set()
const MOST_DOUBTED = 100

export const doubts = (digest) => doubted.has(digest)

export const trust = (digest) => doubted.delete(digest)

function doubt(digest) {
  doubted.delete(digest)
  doubted.add(digest)
  if (doubted.size > MOST_DOUBTED) doubted.delete(doubted.values().next().value)
}

/** The error of a content that cannot be sent to its end. */
class Interruption extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** The next chunk of a stream, read into `buffer`, or nothing at its end. */
async function nextChunk(reader, buffer, patience) {
  const read = await within(reader.readAtLeast(CHUNK, new Uint8Array(buffer)), patience)
  if (read instanceof Error) throw new Interruption('STORE_UNAVAILABLE', read.message)
  return read.done ? undefined : read.value
}

/** Throws if a stream with `found` bytes, at its end or so far, is not one of `size` bytes. */
function checkSize(found, size, ended) {
  if (found === size || (found < size && !ended)) return
  throw new Interruption(
    'DIGEST_MISMATCH',
    `the content has ${found} bytes${ended ? '' : ' or more'}, the record says ${size}`,
  )
}

/** The chunks of a stream. The last one comes only if all have this size and digest together. */
async function* verified(stream, size, digest, patience) {
  const reader = stream.getReader({ mode: 'byob' })
  const hash = new crypto.DigestStream('SHA-256')
  const hasher = hash.getWriter()
  try {
    // Two buffers are enough: a chunk was sent when the next one is read into its buffer.
    let chunk = await nextChunk(reader, new ArrayBuffer(CHUNK), patience)
    let last
    let total = 0
    while (chunk) {
      total += chunk.byteLength
      checkSize(total, size, false)
      await hasher.write(chunk)
      if (last) yield last
      const buffer = last ? last.buffer : new ArrayBuffer(CHUNK)
      last = chunk
      chunk = await nextChunk(reader, buffer, patience)
    }
    checkSize(total, size, true)
    await hasher.close()
    const found = hex(await hash.digest)
    if (found !== digest) throw new Interruption('DIGEST_MISMATCH', `the content has the digest sha256:${found}`)
    if (last) yield last
  } finally {
    // The reader may have failed already, or its request may have been cancelled.
    reader.cancel().catch(() => {})
  }
}

async function send(chunks, writable, report) {
  const writer = writable.getWriter()
  try {
    for await (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  } catch (error) {
    // Any other error is that of a client that went away.
    if (error instanceof Interruption) report(error.code)
    writer.abort(error).catch(() => {})
  }
}

/**
 * A stream of `size` bytes that breaks off before its end if they are more or fewer or do not
 * have this digest, or if a chunk takes longer than `patience` milliseconds. That is logged, and
 * a digest whose bytes were wrong is doubted.
 */
export function checked(stream, size, digest, patience, scriptVersion) {
  const { readable, writable } = new FixedLengthStream(size)
  const report = (code) => {
    if (code === 'DIGEST_MISMATCH') doubt(digest)
    console.log(JSON.stringify({ interrupted: digest, code, scriptVersion }))
  }
  send(verified(stream, size, digest, patience), writable, report)
  return readable
}

/** The SHA-256 of a stream, and the number of its bytes. */
export async function digestOf(stream) {
  const hash = new crypto.DigestStream('SHA-256')
  await stream.pipeTo(hash)
  return [await hash.digest, Number(hash.bytesWritten)]
}
