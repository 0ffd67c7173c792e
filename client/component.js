import { ResolverError } from './errors.js'

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Component} Component */

/** How many known digests of one reference `If-None-Match` lists. A split has few arms. */
const OFFERED = 8

/** Approximate size of an answer without its content, in bytes. */
const ANSWER_SIZE = 1_000

const hex = (/** @type {ArrayBuffer} */ bytes) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const sha256 = async (/** @type {ArrayBuffer} */ bytes) => hex(await crypto.subtle.digest('SHA-256', bytes))

/** Returns the path of a reference such as `prompts/a@>=1 <2`. @param {string} reference */
function pathOf(reference) {
  const at = reference.lastIndexOf('@')
  const [name, ref] =
    at < 0 ? [reference, ''] : [reference.slice(0, at), `@${encodeURIComponent(reference.slice(at + 1))}`]
  return `/components/${name.split('/').map(encodeURIComponent).join('/')}${ref}`
}

/** Reads the metadata of a component from the headers of a response. @param {Response} response @param {string} reference */
function described(response, reference) {
  const header = (/** @type {string} */ name) => response.headers.get(name) ?? ''
  const assignment = /** @type {Component['assignment']} */ (header('Component-Assignment'))
  return {
    reference,
    url: header('Content-Location'),
    version: header('Component-Version'),
    commit: header('Component-Commit'),
    digest: header('ETag').replace(/^W\//, '').replaceAll('"', ''),
    type: header('Content-Type'),
    ...(header('Component-Slot') && { slot: header('Component-Slot') }),
    ...(assignment && { assignment }),
    ...(header('Component-Stale') && { stale: Number(header('Component-Stale')) }),
  }
}

/** @param {ReturnType<typeof described>} about @param {ArrayBuffer} bytes @param {Component['source']} source @returns {Component} */
const component = (about, bytes, source) => ({
  ...about,
  bytes,
  source,
  text: () => new TextDecoder().decode(bytes),
  json: () => JSON.parse(new TextDecoder().decode(bytes)),
})

/** @typedef {{ digest: string, type: string }} Known */

/**
 * Fetches a component, and offers the contents of it that are in the cache.
 *
 * @param {Connection} connection
 * @param {{ reference: string, caller: Caller, key: string, signal: AbortSignal }} request `key` is the cache's.
 */
export async function fetchComponent(connection, { reference, caller, key, signal }) {
  const { cache } = connection
  /** @type {Known[]} */
  const known = (cache.get(`known ${reference}`) ?? []).filter((/** @type {Known} */ one) =>
    cache.get(`content ${one.digest}`),
  )
  const offered = known.map(({ digest }) => `"${digest}"`).join(', ')
  const init = { signal, ...(offered && { headers: { 'If-None-Match': offered } }) }
  const response = await connection.fetch(pathOf(reference), caller, init, reference)
  const about = described(response, reference)
  const { digest } = about
  const confirmed = response.status === 304
  const bytes = confirmed ? cache.get(`content ${digest}`) : await response.arrayBuffer()
  if (!bytes) throw new ResolverError(`${reference}: 304 for a content that was not offered: ${digest}`)
  if (!confirmed && (await sha256(bytes)) !== digest)
    throw new ResolverError(`${reference}: the content is not the one that ETag names`)
  // A 304 has no Content-Type.
  about.type ||= known.find((one) => one.digest === digest)?.type ?? ''
  const others = known.filter((one) => one.digest !== digest)
  cache.set(`content ${digest}`, bytes, bytes.byteLength)
  cache.set(`known ${reference}`, [...others, { digest, type: about.type }].slice(-OFFERED), ANSWER_SIZE)
  const immutable = /\bimmutable\b/.test(response.headers.get('Cache-Control') ?? '')
  connection.remember(key, { about, immutable }, ANSWER_SIZE)
  return component(about, bytes, confirmed ? 'memory' : 'resolver')
}

/** Returns the last good answer of a call, if its content is still in the cache. @param {Connection} connection @param {string} key */
export function remembered(connection, key) {
  const last = connection.cache.get(`answer ${key}`)
  const bytes = last && connection.cache.get(`content ${last.answer.about.digest}`)
  return bytes && { ...last.answer, at: last.at, component: component(last.answer.about, bytes, 'memory') }
}
