import { isTransient, ResolverError } from './errors.js'
import { LruCache } from './lru-cache.js'

/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Problem} Problem */

/** The defaults of `ClientOptions`. */
export const DEFAULTS = {
  attempts: 3,
  timeout: 5_000,
  backoff: 100,
  maxDelay: 2_000,
  patience: 15_000,
  memory: 16 << 20,
}

export const isAscii = (/** @type {string} */ text) => /^[\x20-\x7e]*$/.test(text)

/** Removes the white space around a value, as HTTP does with a header. @param {unknown} value */
const trimmed = (value) => String(value ?? '').replace(/^[ \t]+|[ \t]+$/g, '')

/**
 * Returns a caller in the form in which all requests send it: texts without white space
 * around them, and without members that are empty. So `get` and `resolve` assign one
 * caller to the same version.
 *
 * @param {Caller} caller @returns {Caller}
 */
export function canonicalCaller({ key, segments, override, scriptOverride }) {
  const groups = (segments ?? []).map(trimmed).filter((group) => group !== '')
  /** @type {Caller} */
  const caller = { ...(groups.length > 0 && { segments: groups }) }
  if (trimmed(key)) caller.key = trimmed(key)
  if (trimmed(override)) caller.override = trimmed(override)
  if (trimmed(scriptOverride)) caller.scriptOverride = trimmed(scriptOverride)
  return caller
}

/** Returns a canonical caller as headers, or as query parameters for values that are not ASCII. @param {Caller} caller */
function identify({ key, segments, override, scriptOverride }) {
  const headers = new Headers()
  const query = new URLSearchParams()
  const groups = (segments ?? []).join(', ')
  if (key && isAscii(key)) headers.set('Cloudflare-Workers-Version-Key', key)
  else if (key) query.set('key', key)
  if (groups && isAscii(groups)) headers.set('Component-Segment', groups)
  else if (groups) query.set('segment', groups)
  if (override) headers.set('Component-Version-Override', override)
  if (scriptOverride) headers.set('Cloudflare-Workers-Version-Overrides', scriptOverride)
  return { headers, query }
}

const MOVED = 'the resolver redirects; create the client with its final URL, the token is not sent to another one'

/** @param {Response} response @param {string} what */
async function errorOf(response, what) {
  const text = await response.text().catch(() => '')
  /** @type {Problem | undefined} */
  let problem
  try {
    problem = JSON.parse(text)
  } catch {
    // The response is from a proxy, not from the resolver.
  }
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined
  const redirected =
    /** @type {string} */ (response.type) === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(response.status)
  const why = redirected ? MOVED : (problem?.detail ?? response.statusText)
  return new ResolverError(`${what}: ${response.status} ${why}`.trim(), {
    status: response.status,
    problem,
    retryAfter,
  })
}

/** @param {number} milliseconds @param {AbortSignal} [signal] */
const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
  })

// The rule of `crates/endpoint`. Other names below `localhost` are looked up in DNS by Node.
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Returns the base URL of a resolver without a slash at its end.
 *
 * @param {string | URL} url @param {import('./index.d.ts').ClientOptions} options
 */
export function baseUrl(url, { token, fetch: custom }) {
  const { protocol, hostname, origin, pathname, search, hash, username, password } = new URL(url)
  if (search || hash || username || password)
    throw new TypeError('createClient: the URL of a resolver has no user, query or fragment; pass a token as `token`')
  // A custom fetch, such as that of a service binding, may use no network at all.
  if (token && protocol === 'http:' && !custom && !LOOPBACK.test(hostname))
    throw new TypeError(`createClient: a token is not sent over http to ${hostname}; use https`)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}

export class Connection {
  /** @param {string} base @param {typeof DEFAULTS & import('./index.d.ts').ClientOptions} options */
  constructor(base, options) {
    this.base = base
    this.options = options
    /** Keys: `content <digest>`, `known <reference>` (digests that it has resolved to), `answer <call>`. */
    this.cache = new LruCache(options.memory)
  }

  /**
   * Repeats a request until it succeeds, fails permanently, or the attempts or the patience are used up.
   *
   * @template T @param {{ what: string, signal?: AbortSignal | undefined, fallback: boolean }} call
   * With a `fallback`, no wait is longer than `maxDelay`, not even one that `Retry-After` asks for.
   * @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T>}
   */
  async retry({ what, signal, fallback }, ask) {
    const { attempts, timeout, maxDelay, patience } = this.options
    const end = Date.now() + patience
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      const limit = AbortSignal.timeout(timeout)
      try {
        return await ask(signal ? AbortSignal.any([signal, limit]) : limit)
      } catch (cause) {
        signal?.throwIfAborted()
        const error = cause instanceof ResolverError ? cause : new ResolverError(`${what}: ${reason(cause)}`, { cause })
        const delay = this.delay(attempt, error)
        const longest = fallback ? Math.min(maxDelay, end - Date.now()) : end - Date.now()
        if (!isTransient(error) || attempt >= attempts || delay > longest) throw error
        await pause(delay, signal)
      }
    }
  }

  /** The wait after a failed attempt, in milliseconds. @param {number} attempt @param {ResolverError} error */
  delay(attempt, error) {
    const { backoff, maxDelay } = this.options
    const jittered = backoff * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
    return Math.max(Math.min(jittered, maxDelay), (error.retryAfter ?? 0) * 1_000)
  }

  /** @param {string} path @param {Caller} caller @param {RequestInit & { headers?: Record<string, string> }} init @param {string} what */
  async fetch(path, caller, init, what) {
    const { headers, query } = identify(caller)
    for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value)
    if (this.options.token) headers.set('Authorization', `Bearer ${this.options.token}`)
    const address = `${this.base}${path}${query.size > 0 ? `?${query}` : ''}`
    const send = this.options.fetch ?? fetch
    // A redirect must not carry the token to another host.
    const redirect = this.options.token ? { redirect: /** @type {const} */ ('manual') } : {}
    const response = await send(address, { ...init, ...redirect, headers })
    if (response.ok || response.status === 304) return response
    throw await errorOf(response, what)
  }

  /** @param {string} key @param {any} answer @param {number} size */
  remember(key, answer, size) {
    this.cache.set(`answer ${key}`, { answer, at: Date.now() }, size)
  }

  /** Forgets the last answer to a call. @param {string} key */
  forget(key) {
    this.cache.deleteWhere((one) => one === `answer ${key}`)
  }

  /**
   * Forgets every answer that used a reference, whoever the caller was: the resolver withdrew it.
   *
   * @param {string} reference
   */
  withdraw(reference) {
    const spelled = [reference, reference.replace(/@(?=\d+\.\d+\.\d+)/, '@v')]
    this.cache.deleteWhere(
      (key, { answer }) =>
        key.startsWith('answer ') && answer.references.some((/** @type {string} */ one) => spelled.includes(one)),
    )
  }
}

const reason = (/** @type {unknown} */ error) => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
