// JSON with contents in it, written while it is sent. Neither its contents nor its text are in Wasm
// memory, which never shrinks.

/** The bytes of a content that are encoded at once: a multiple of 3, as base64 needs. */
const CHUNK = 48 << 10

function* chunks(bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}

/** The text of a content in pieces. Throws if it is not UTF-8. A byte order mark is a part of it. */
function* texts(bytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for (const chunk of chunks(bytes)) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

function isUtf8(bytes) {
  try {
    for (const _ of texts(bytes));
    return true
  } catch {
    return false
  }
}

const base64 = (chunk) => btoa(Array.from(chunk, (byte) => String.fromCharCode(byte)).join(''))

/** A content as a member of an object. */
function* member(bytes) {
  if (isUtf8(bytes)) {
    yield '"content":"'
    for (const text of texts(bytes)) yield JSON.stringify(text).slice(1, -1)
  } else {
    yield '"contentBase64":"'
    for (const chunk of chunks(bytes)) yield base64(chunk)
  }
  yield '"'
}

function* piecesOf(parts) {
  for (const part of parts) {
    if (typeof part === 'string') yield part
    else yield* member(new Uint8Array(part))
  }
}

/** The large contents in texts that are being sent: for each text their bytes, and since when. */
const open = new Set()

/** The time in milliseconds after which the end of a text was missed. */
const LONGEST = 300_000

/** The bytes of the large contents in texts that are being sent. */
export function sending() {
  const oldest = Date.now() - LONGEST
  for (const text of open) if (text.since < oldest) open.delete(text)
  return [...open].reduce((sum, { bytes }) => sum + bytes, 0)
}

const total = (sizes) => sizes.reduce((sum, size) => sum + size, 0)

/**
 * The JSON text with these parts, which are texts, and contents as buffers. A long one is a stream. A
 * content of more than `large` bytes is counted by `sending` until the end of the stream.
 */
export function jsonBody(parts, large) {
  const sizes = parts.map((part) => part.length ?? part.byteLength)
  const pieces = piecesOf(parts)
  if (total(sizes) <= CHUNK) return [...pieces].join('')
  return streamOf(pieces, total(sizes.filter((size) => size > large)))
}

function streamOf(pieces, bytes) {
  const text = { bytes, since: Date.now() }
  if (bytes) open.add(text)
  const encoder = new TextEncoder()
  return new ReadableStream({
    pull(controller) {
      let written = ''
      let piece = pieces.next()
      for (; !piece.done; piece = pieces.next()) {
        written += piece.value
        if (written.length >= CHUNK) break
      }
      if (written) controller.enqueue(encoder.encode(written))
      if (!piece.done) return
      open.delete(text)
      controller.close()
    },
    // The client went away.
    cancel() {
      open.delete(text)
    },
  })
}
