import { digestOf, matches } from './digest.js'
import { ResolverError } from './errors.js'

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Component} Component */

/** How many known digests of one reference `If-None-Match` lists. A split has few arms. */
const OFFERED = 8

/** Approximate size of an answer without its content, in bytes. */
const ANSWER_SIZE = 1_000

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
    digest: digestOf(response.headers),
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
 * Reads the content of a response: the bytes that came with it, or those that a 304 confirms.
 *
 * @param {Connection} connection @param {Response} response @param {string} reference @param {string} digest
 */
async function contentOf(connection, response, reference, digest) {
  if (response.status === 304) {
    const bytes = connection.cache.get(`content ${digest}`)
    if (!bytes) throw new ResolverError(`${reference}: 304 for a content that was not offered: ${digest}`)
    return bytes
  }
  const bytes = await response.arrayBuffer()
  if (!digest)
    throw new ResolverError(`${reference}: the response names no digest: a proxy removed ETag and Repr-Digest`)
  if (!(await matches(bytes, digest))) throw new ResolverError(`${reference}: the content does not match its digest`)
  return bytes
}

/** The contents of a reference that are in the cache. @param {Connection} connection @param {string} reference @returns {Known[]} */
const knownOf = ({ cache }, reference) =>
  (cache.get(`known ${reference}`) ?? []).filter((/** @type {Known} */ one) => cache.get(`content ${one.digest}`))

/**
 * Requests a component, and offers these contents of it for revalidation.
 *
 * @param {Connection} connection @param {{ reference: string, caller: Caller, signal: AbortSignal }} request
 * @param {Known[]} known @returns {Promise<{ response: Response, about: ReturnType<typeof described> }>}
 */
async function request(connection, { reference, caller, signal }, known) {
  const offered = known.map(({ digest }) => `"${digest}"`).join(', ')
  const init = { signal, ...(offered && { headers: { 'If-None-Match': offered } }) }
  const response = await connection.fetch(pathOf(reference), caller, init, reference)
  const about = described(response, reference)
  if (response.status !== 304 || about.digest) return { response, about }
  // A proxy removed the ETag. With one offer, that is the one which is confirmed.
  if (known.length > 1) return request(connection, { reference, caller, signal }, [])
  about.digest = known[0]?.digest ?? ''
  return { response, about }
}

/**
 * Fetches a component, and offers the contents of it that are in the cache.
 *
 * @param {Connection} connection
 * @param {{ reference: string, caller: Caller, key: string, signal: AbortSignal }} call `key` is the cache's.
 */
export async function fetchComponent(connection, { key, ...call }) {
  const { cache } = connection
  const { reference } = call
  const known = knownOf(connection, reference)
  const { response, about } = await request(connection, call, known)
  const { digest } = about
  const bytes = await contentOf(connection, response, reference, digest)
  // Resolvers before 0.2 send no Content-Type with a 304.
  about.type ||= known.find((one) => one.digest === digest)?.type ?? ''
  const others = known.filter((one) => one.digest !== digest)
  cache.set(`content ${digest}`, bytes, bytes.byteLength)
  cache.set(`known ${reference}`, [...others, { digest, type: about.type }].slice(-OFFERED), ANSWER_SIZE)
  const immutable = /\bimmutable\b/.test(response.headers.get('Cache-Control') ?? '')
  connection.remember(key, { about, immutable, references: [reference, referenceOf(about.url)] }, ANSWER_SIZE)
  return component(about, bytes, response.status === 304 ? 'memory' : 'resolver')
}

/** Returns the reference in a canonical URL: `/components/prompts/a@v1.0.0` → `prompts/a@v1.0.0`. @param {string} url */
export const referenceOf = (url) => decodeURIComponent(url.replace(/^\/components\//, ''))

/**
 * Returns the last answer to a call: a component whose content is still in the cache, or a refusal.
 *
 * @param {Connection} connection @param {string} key
 */
export function remembered(connection, key) {
  const last = connection.cache.get(`answer ${key}`)
  if (last?.answer.refusal) return { refusal: last.answer.refusal }
  const bytes = last && connection.cache.get(`content ${last.answer.about.digest}`)
  return bytes && { ...last.answer, at: last.at, component: component(last.answer.about, bytes, 'memory') }
}
