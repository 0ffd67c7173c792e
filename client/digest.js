/** @param {ArrayBuffer | Uint8Array} bytes */
const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const fromBase64 = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/** The SHA-256 member of the dictionary `Repr-Digest` (RFC 9530), in hex. @param {string} field */
function reprDigest(field) {
  const [, base64] = /(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):/.exec(field) ?? []
  return base64 ? hex(fromBase64(base64)) : ''
}

/**
 * Returns the SHA-256 digest that a response names, in hex; empty if it names none.
 *
 * `ETag` serves if a proxy removes `Repr-Digest`, and the reverse. Proxies weaken an
 * ETag (`W/"…"`) or add a suffix to it (`"…-gzip"`); the digest in it stays the same.
 *
 * @param {Headers} headers
 */
export function digestOf(headers) {
  const named = reprDigest(headers.get('Repr-Digest') ?? '')
  return named || (/"([0-9a-f]{64})(?![0-9a-f])/.exec(headers.get('ETag') ?? '')?.[1] ?? '')
}

/**
 * Tells if the bytes have this digest.
 *
 * A page that the browser does not consider secure has no `crypto.subtle`. Nothing is
 * checked there: its connections are not authenticated either.
 *
 * @param {ArrayBuffer} bytes @param {string} digest
 */
export async function matches(bytes, digest) {
  if (typeof crypto === 'undefined' || !crypto.subtle) return true
  return hex(await crypto.subtle.digest('SHA-256', bytes)) === digest
}
