import { isTransient, ResolverError } from './errors.js'
import { LruCache } from './lru-cache.js'

/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Problem} Problem */

/** The defaults of `ClientOptions`. */
export const DEFAULTS = { attempts: 3, timeout: 5_000, backoff: 100, maxDelay: 2_000, memory: 16 << 20 }

export const isAscii = (/** @type {string} */ text) => /^[\x20-\x7e]*$/.test(text)

/** Returns a caller as headers, or as query parameters for values that are not ASCII. @param {Caller} caller */
function identify({ key, segments = [], override, scriptOverride }) {
  const headers = new Headers()
  const query = new URLSearchParams()
  const groups = segments.join(', ')
  if (key && isAscii(key)) headers.set('Cloudflare-Workers-Version-Key', key)
  else if (key) query.set('key', key)
  if (groups && isAscii(groups)) headers.set('Component-Segment', groups)
  else if (groups) query.set('segment', segments.join(','))
  if (override) headers.set('Component-Version-Override', override)
  if (scriptOverride) headers.set('Cloudflare-Workers-Version-Overrides', scriptOverride)
  return { headers, query }
}

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
  const why = problem?.detail ?? response.statusText
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

export class Connection {
  /** @param {string} origin @param {typeof DEFAULTS & import('./index.d.ts').ClientOptions} options */
  constructor(origin, options) {
    this.origin = origin
    this.options = options
    /** Keys: `content <digest>`, `known <reference>` (digests that it has resolved to), `answer <call>`. */
    this.cache = new LruCache(options.memory)
  }

  /** Repeats a request until it succeeds, fails permanently, or the attempts are used up. @template T @param {string} what @param {AbortSignal | undefined} signal @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T>} */
  async retry(what, signal, ask) {
    const { attempts, timeout, backoff, maxDelay } = this.options
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      const limit = AbortSignal.timeout(timeout)
      try {
        return await ask(signal ? AbortSignal.any([signal, limit]) : limit)
      } catch (cause) {
        signal?.throwIfAborted()
        const error = cause instanceof ResolverError ? cause : new ResolverError(`${what}: ${reason(cause)}`, { cause })
        const jittered = backoff * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
        const delay = Math.max(jittered, (error.retryAfter ?? 0) * 1_000)
        if (!isTransient(error) || attempt >= attempts || delay > maxDelay) throw error
        await pause(delay, signal)
      }
    }
  }

  /** @param {string} path @param {Caller} caller @param {RequestInit & { headers?: Record<string, string> }} init @param {string} what */
  async fetch(path, caller, init, what) {
    const { headers, query } = identify(caller)
    for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value)
    if (this.options.token) headers.set('Authorization', `Bearer ${this.options.token}`)
    const address = `${this.origin}${path}${query.size > 0 ? `?${query}` : ''}`
    const send = this.options.fetch ?? fetch
    const response = await send(address, { ...init, headers })
    if (response.ok || response.status === 304) return response
    throw await errorOf(response, what)
  }

  /** @param {string} key @param {any} answer @param {number} size */
  remember(key, answer, size) {
    this.cache.set(`answer ${key}`, { answer, at: Date.now() }, size)
  }
}

const reason = (/** @type {unknown} */ error) => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
