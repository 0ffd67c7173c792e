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

function* written(parts) {
  for (const part of parts) {
    if (typeof part === 'string') yield part
    else yield* member(new Uint8Array(part))
  }
}

/** The JSON text with these parts, which are texts, and contents as buffers. A long one is a stream. */
export function jsonBody(parts) {
  const size = parts.reduce((sum, part) => sum + (part.length ?? part.byteLength), 0)
  const pieces = written(parts)
  return size <= CHUNK ? [...pieces].join('') : streamOf(pieces)
}

function streamOf(pieces) {
  const encoder = new TextEncoder()
  return new ReadableStream({
    pull(controller) {
      let text = ''
      let piece = pieces.next()
      for (; !piece.done; piece = pieces.next()) {
        text += piece.value
        if (text.length >= CHUNK) break
      }
      if (text) controller.enqueue(encoder.encode(text))
      if (piece.done) controller.close()
    },
  })
}
