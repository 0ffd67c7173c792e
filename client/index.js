// Reads components from component-resolver over HTTP; index.d.ts documents the interface.
// It has no dependencies and needs no build step in Workers, Node 20 and browsers.
import { fetchComponent, referenceOf, remembered } from './component.js'
import { baseUrl, Connection, canonicalCaller, DEFAULTS, isAscii } from './connection.js'
import { isTransient, PartialSnapshot, ResolverError, TRANSIENT } from './errors.js'

export { ResolverError } from './errors.js'

/** @typedef {import('./index.d.ts').CallOptions} CallOptions */
/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Client} Client */
/** @typedef {import('./index.d.ts').Component} Component */
/** @typedef {import('./index.d.ts').Snapshot} Snapshot */

/** The status of a revoked version. */
const GONE = 410

/** Approximate size of a refusal in memory, in bytes. */
const REFUSAL_SIZE = 1_000

/** Returns the age of the last good answer and the temporary error. @param {{ at: number }} last @param {unknown} error */
const unavailable = ({ at }, error) => ({ unavailable: { seconds: Math.floor((Date.now() - at) / 1_000), error } })

/**
 * Notes that the resolver refused a reference: no older answer to it is given again. A
 * revoked version stays revoked while the resolver is unavailable.
 *
 * @param {Connection} connection @param {string} key @param {string} reference @param {unknown} error
 */
function noteRefusal(connection, key, reference, error) {
  if (isTransient(error)) return
  connection.withdraw(reference)
  const refusal = /** @type {ResolverError} */ (error)
  if (refusal.status === GONE) connection.remember(key, { refusal, references: [reference] }, REFUSAL_SIZE)
}

/** @param {ResolverError} refusal @param {unknown} cause */
const repeated = ({ message, status, problem }, cause) => new ResolverError(message, { status, problem, cause })

/**
 * One component; the last answer if the resolver cannot be reached.
 *
 * @param {Connection} connection @param {string} reference
 * @param {CallOptions & { caller: Caller }} options @returns {Promise<Component>}
 */
async function get(connection, reference, { caller: given, signal }) {
  const caller = canonicalCaller(given)
  const key = JSON.stringify(['get', reference, caller])
  const kept = remembered(connection, key)
  if (kept?.immutable) return kept.component
  try {
    return await connection.retry({ what: reference, signal, fallback: Boolean(kept) }, (limit) =>
      fetchComponent(connection, { reference, caller, key, signal: limit }),
    )
  } catch (error) {
    signal?.throwIfAborted()
    noteRefusal(connection, key, reference, error)
    // Another call may have withdrawn it meanwhile.
    const last = remembered(connection, key)
    if (!last || !isTransient(error)) throw error
    if (last.refusal) throw repeated(last.refusal, error)
    return { ...last.component, ...unavailable(last, error) }
  }
}

/** @param {Connection} connection @param {string} key @param {string} text */
function parseSnapshot(connection, key, text) {
  /** @type {Snapshot} */
  const snapshot = JSON.parse(text)
  const { resolved } = snapshot
  const statuses = resolved.map(({ error }) => error?.status ?? 0)
  for (const { ref, error } of resolved) if (error && !TRANSIENT.includes(error.status)) connection.withdraw(ref)
  const transient = resolved.find(({ error }) => error && TRANSIENT.includes(error.status))?.error
  if (transient) throw new PartialSnapshot(snapshot, transient)
  const references = resolved.flatMap(({ ref, url }) => (url ? [ref, referenceOf(url)] : [ref]))
  // An outage repeats "revoked", and does not repeat "unknown".
  if (statuses.every((status) => status === 0 || status === GONE))
    connection.remember(key, { snapshot, references }, text.length)
  return snapshot
}

/** @param {Connection} connection @param {Caller} caller @param {string} key @param {string} body @param {AbortSignal} signal */
async function fetchSnapshot(connection, caller, key, body, signal) {
  const headers = { 'Content-Type': 'application/json' }
  const init = { method: 'POST', body, headers, signal }
  const response = await connection.fetch('/resolve', caller, init, '/resolve')
  return parseSnapshot(connection, key, await response.text())
}

/**
 * Many references at once; the last answer if the resolver cannot be reached.
 *
 * @param {Connection} connection @param {string[]} references
 * @param {CallOptions & { caller: Caller, content?: boolean | undefined }} options @returns {Promise<Snapshot>}
 */
async function resolve(connection, references, { caller, signal, content = false }) {
  const { key: version, segments, ...rest } = canonicalCaller(caller)
  const split = { ...(version && { key: version }), ...(segments && { segments }) }
  const body = JSON.stringify({ refs: references, content, ...split })
  const key = JSON.stringify(['resolve', body, rest])
  // The header selects the version of the Worker; the key in the body selects the component versions.
  const sender = version && isAscii(version) ? { ...rest, key: version } : rest
  const fallback = connection.cache.get(`answer ${key}`) !== undefined
  try {
    return await connection.retry({ what: '/resolve', signal, fallback }, (limit) =>
      fetchSnapshot(connection, sender, key, body, limit),
    )
  } catch (error) {
    signal?.throwIfAborted()
    if (!isTransient(error)) connection.forget(key)
    const last = connection.cache.get(`answer ${key}`)
    if (last && isTransient(error)) return { ...last.answer.snapshot, ...unavailable(last, error) }
    // Each reference in the snapshot has its own error.
    if (error instanceof PartialSnapshot) return error.snapshot
    throw error
  }
}

/** @param {Connection} connection @param {Caller} own @returns {Client} */
const makeClient = (connection, own) => ({
  get: (reference, options) => get(connection, reference, { caller: own, ...defined(options) }),
  resolve: (references, options) => resolve(connection, references, { caller: own, ...defined(options) }),
  forCaller: (caller) => makeClient(connection, caller),
  forRequest({ headers }, { overrides = false } = {}) {
    const key = headers.get('Component-Version-Key') ?? headers.get('Cloudflare-Workers-Version-Key') ?? own.key
    if (!overrides) return makeClient(connection, { ...own, key })
    const override = headers.get('Component-Version-Override') ?? own.override
    const scriptOverride = headers.get('Cloudflare-Workers-Version-Overrides') ?? own.scriptOverride
    return makeClient(connection, { ...own, key, override, scriptOverride })
  },
})

/** The options without those that are undefined. @template {object} T @param {T} [options] @returns {Partial<T>} */
const defined = (options) =>
  /** @type {Partial<T>} */ (
    Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined))
  )

/** @type {typeof import('./index.d.ts').createClient} */
export function createClient(url, options = {}) {
  const settings = { ...DEFAULTS, ...defined(options) }
  const connection = new Connection(baseUrl(url, settings), settings)
  return makeClient(connection, options.caller ?? {})
}
