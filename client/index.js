// Reads components from component-resolver over HTTP; index.d.ts documents the interface.
// It has no dependencies and needs no build step in Workers, Node 20 and browsers.
import { fetchComponent, remembered } from './component.js'
import { Connection, DEFAULTS, isAscii } from './connection.js'
import { isTransient, PartialSnapshot, TRANSIENT } from './errors.js'

export { ResolverError } from './errors.js'

/** @typedef {import('./index.d.ts').CallOptions} CallOptions */
/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Client} Client */
/** @typedef {import('./index.d.ts').Component} Component */
/** @typedef {import('./index.d.ts').Snapshot} Snapshot */

/** Returns the age of the last good answer and the temporary error. @param {{ at: number }} last @param {unknown} error */
const away = ({ at }, error) => ({ away: { seconds: Math.floor((Date.now() - at) / 1_000), error } })

/**
 * One component; the last good answer if the resolver cannot be reached.
 *
 * @param {Connection} connection @param {string} reference
 * @param {CallOptions & { caller: Caller }} options @returns {Promise<Component>}
 */
async function get(connection, reference, { caller, signal }) {
  const key = JSON.stringify(['get', reference, caller])
  const last = remembered(connection, key)
  if (last?.immutable) return last.component
  try {
    return await connection.retry(reference, signal, (limit) =>
      fetchComponent(connection, { reference, caller, key, signal: limit }),
    )
  } catch (error) {
    signal?.throwIfAborted()
    if (!last || !isTransient(error)) throw error
    return { ...last.component, ...away(last, error) }
  }
}

/** @param {Connection} connection @param {string} key @param {string} text */
function parseSnapshot(connection, key, text) {
  /** @type {Snapshot} */
  const snapshot = JSON.parse(text)
  const errors = snapshot.resolved.flatMap(({ error }) => error ?? [])
  const transient = errors.find(({ status }) => TRANSIENT.includes(status))
  if (transient) throw new PartialSnapshot(snapshot, transient)
  if (errors.length === 0) connection.remember(key, snapshot, text.length)
  return snapshot
}

/**
 * Many references at once; the last good answer if the resolver cannot be reached.
 *
 * @param {Connection} connection @param {string[]} references
 * @param {CallOptions & { caller: Caller, content?: boolean }} options
 */
async function resolve(connection, references, { caller, signal, content = false }) {
  const { key: version, segments, ...rest } = caller
  const split = { ...(version && { key: version }), ...(segments && { segments }) }
  const body = JSON.stringify({ refs: references, content, ...split })
  const key = JSON.stringify(['resolve', body, rest])
  const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
  // The header selects the version of the Worker; the key in the body selects the component versions.
  const asked = version && isAscii(version) ? { ...rest, key: version } : rest
  try {
    return await connection.retry('/resolve', signal, async (limit) => {
      const response = await connection.fetch('/resolve', asked, { ...init, signal: limit }, '/resolve')
      return parseSnapshot(connection, key, await response.text())
    })
  } catch (error) {
    signal?.throwIfAborted()
    const last = connection.cache.get(`answer ${key}`)
    if (last && isTransient(error)) return { ...last.answer, ...away(last, error) }
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
  forRequest({ headers }) {
    const key = headers.get('Component-Version-Key') ?? headers.get('Cloudflare-Workers-Version-Key') ?? own.key
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
  const connection = new Connection(new URL(url).origin, { ...DEFAULTS, ...defined(options) })
  return makeClient(connection, options.caller ?? {})
}
