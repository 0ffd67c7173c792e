// Reads components from component-resolver over HTTP; index.d.ts documents the interface.
// It has no dependencies and needs no build step in Workers, Node 20 and browsers.

const DEFAULTS = { attempts: 3, timeout: 5_000, backoff: 100, maxDelay: 2_000, memory: 16 << 20 }

/** Statuses of temporary failures: another request may succeed. */
const PASSING = [408, 425, 429, 500, 502, 503, 504]

/** How many known digests of one reference `If-None-Match` lists. A split has few arms. */
const OFFERED = 8

/** Approximate size of an answer without its content, in bytes. */
const ANSWER_SIZE = 1_000

/** @typedef {import('./index.d.ts').Caller} Caller */
/** @typedef {import('./index.d.ts').Component} Component */
/** @typedef {import('./index.d.ts').Snapshot} Snapshot */
/** @typedef {import('./index.d.ts').Problem} Problem */

export class ResolverError extends Error {
  /** @param {string} message @param {{ status?: number, problem?: Problem, cause?: unknown, retryAfter?: number }} [options] */
  constructor(message, { status = 0, problem, cause, retryAfter } = {}) {
    super(message, { cause })
    this.name = 'ResolverError'
    this.status = status
    this.code = problem?.code ?? ''
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** A Map that evicts the least recently used items when their total size exceeds a bound. */
class Bounded {
  #items = new Map()
  #size = 0

  /** @param {number} bound */
  constructor(bound) {
    this.bound = bound
  }

  /** @param {string} key */
  get(key) {
    const item = this.#items.get(key)
    if (!item) return undefined
    this.#items.delete(key)
    this.#items.set(key, item)
    return item.value
  }

  /** @param {string} key @param {any} value @param {number} size */
  set(key, value, size) {
    this.#size += size - (this.#items.get(key)?.size ?? 0)
    this.#items.delete(key)
    this.#items.set(key, { value, size })
    for (const [oldest, item] of this.#items) {
      if (this.#size <= this.bound) return
      this.#size -= item.size
      this.#items.delete(oldest)
    }
  }
}

const hex = (/** @type {ArrayBuffer} */ bytes) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const sha256 = async (/** @type {ArrayBuffer} */ bytes) => hex(await crypto.subtle.digest('SHA-256', bytes))

const isAscii = (/** @type {string} */ text) => /^[\x20-\x7e]*$/.test(text)

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
async function refusal(response, what) {
  const text = await response.text().catch(() => '')
  /** @type {Problem | undefined} */
  let problem
  try {
    problem = JSON.parse(text)
  } catch {
    // The response is from a proxy, not from the resolver.
  }
  const seconds = Number(response.headers.get('Retry-After') ?? NaN)
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined
  const why = problem?.detail ?? response.statusText
  return new ResolverError(`${what}: ${response.status} ${why}`.trim(), { status: response.status, problem, retryAfter })
}

/** @param {number} milliseconds @param {AbortSignal} [signal] */
const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true })
  })

/** Tells if an error is temporary, so that a retry is useful. @param {unknown} error */
const mayPass = (error) => !(error instanceof ResolverError) || error.status === 0 || PASSING.includes(error.status)

class Connection {
  /** @param {string} origin @param {typeof DEFAULTS & import('./index.d.ts').ClientOptions} options */
  constructor(origin, options) {
    this.origin = origin
    this.options = options
    /** Keys: `content <digest>`, `known <reference>` (digests that it has resolved to), `answer <call>`. */
    this.kept = new Bounded(options.memory)
  }

  /** Repeats a request until it succeeds, fails permanently, or the attempts are used up. @template T @param {string} what @param {AbortSignal | undefined} signal @param {(signal: AbortSignal) => Promise<T>} ask @returns {Promise<T>} */
  async patiently(what, signal, ask) {
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
        if (!mayPass(error) || attempt >= attempts || delay > maxDelay) throw error
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
    throw await refusal(response, what)
  }

  /** @param {string} key @param {any} answer @param {number} size */
  keep(key, answer, size) {
    this.kept.set(`answer ${key}`, { answer, at: Date.now() }, size)
  }
}

const reason = (/** @type {unknown} */ error) => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

/** Returns the age of the last good answer and the temporary error. @param {{ at: number }} kept @param {unknown} error */
const away = ({ at }, error) => ({ away: { seconds: Math.floor((Date.now() - at) / 1_000), error } })

/** Returns the path of a reference such as `prompts/a@>=1 <2`. @param {string} reference */
function pathOf(reference) {
  const at = reference.lastIndexOf('@')
  const [name, ref] = at < 0 ? [reference, ''] : [reference.slice(0, at), `@${encodeURIComponent(reference.slice(at + 1))}`]
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

/** @param {Connection} connection @param {string} reference @param {Caller} caller @param {string} key @param {AbortSignal} signal */
async function fetchComponent(connection, reference, caller, key, signal) {
  const { kept } = connection
  /** @type {Known[]} */
  const known = (kept.get(`known ${reference}`) ?? []).filter((/** @type {Known} */ one) => kept.get(`content ${one.digest}`))
  const offered = known.map(({ digest }) => `"${digest}"`).join(', ')
  const init = { signal, ...(offered && { headers: { 'If-None-Match': offered } }) }
  const response = await connection.fetch(pathOf(reference), caller, init, reference)
  const about = described(response, reference)
  const { digest } = about
  const confirmed = response.status === 304
  const bytes = confirmed ? kept.get(`content ${digest}`) : await response.arrayBuffer()
  if (!bytes) throw new ResolverError(`${reference}: 304 for a content that was not offered: ${digest}`)
  if (!confirmed && (await sha256(bytes)) !== digest) throw new ResolverError(`${reference}: the content is not the one that ETag names`)
  // A 304 has no Content-Type.
  about.type ||= known.find((one) => one.digest === digest)?.type ?? ''
  const others = known.filter((one) => one.digest !== digest)
  kept.set(`content ${digest}`, bytes, bytes.byteLength)
  kept.set(`known ${reference}`, [...others, { digest, type: about.type }].slice(-OFFERED), ANSWER_SIZE)
  const immutable = /\bimmutable\b/.test(response.headers.get('Cache-Control') ?? '')
  connection.keep(key, { about, immutable }, ANSWER_SIZE)
  return component(about, bytes, confirmed ? 'memory' : 'resolver')
}

/** Returns the last good answer of a call, if its content is still in memory. @param {Connection} connection @param {string} key */
function remembered(connection, key) {
  const last = connection.kept.get(`answer ${key}`)
  const bytes = last && connection.kept.get(`content ${last.answer.about.digest}`)
  return bytes && { ...last.answer, at: last.at, component: component(last.answer.about, bytes, 'memory') }
}

/** Thrown for a snapshot in which a reference has a temporary error. */
class Partial extends ResolverError {
  /** @param {Snapshot} snapshot @param {Problem} problem */
  constructor(snapshot, problem) {
    super(`/resolve: ${problem.status} ${problem.detail}`, { status: problem.status, problem })
    this.snapshot = snapshot
  }
}

/** @param {Connection} connection @param {string} key @param {string} text */
function whole(connection, key, text) {
  /** @type {Snapshot} */
  const snapshot = JSON.parse(text)
  const errors = snapshot.resolved.flatMap(({ error }) => error ?? [])
  const passing = errors.find(({ status }) => PASSING.includes(status))
  if (passing) throw new Partial(snapshot, passing)
  if (errors.length === 0) connection.keep(key, snapshot, text.length)
  return snapshot
}

/** @param {Connection} connection @param {Caller} own @returns {import('./index.d.ts').Client} */
function clientOf(connection, own) {
  return {
    async get(reference, { caller = own, signal } = {}) {
      const key = JSON.stringify(['get', reference, caller])
      const last = remembered(connection, key)
      if (last?.immutable) return last.component
      try {
        const ask = (/** @type {AbortSignal} */ limit) => fetchComponent(connection, reference, caller, key, limit)
        return await connection.patiently(reference, signal, ask)
      } catch (error) {
        signal?.throwIfAborted()
        if (!last || !mayPass(error)) throw error
        return { ...last.component, ...away(last, error) }
      }
    },

    async resolve(references, { caller = own, signal, content = false } = {}) {
      const { key: version, segments, ...rest } = caller
      const body = JSON.stringify({ refs: references, content, ...(version && { key: version }), ...(segments && { segments }) })
      const key = JSON.stringify(['resolve', body, rest])
      const init = { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }
      // The header selects the version of the Worker; the key in the body selects the component versions.
      const asked = version && isAscii(version) ? { ...rest, key: version } : rest
      try {
        return await connection.patiently('/resolve', signal, async (limit) => {
          const response = await connection.fetch('/resolve', asked, { ...init, signal: limit }, '/resolve')
          return whole(connection, key, await response.text())
        })
      } catch (error) {
        signal?.throwIfAborted()
        const last = connection.kept.get(`answer ${key}`)
        if (last && mayPass(error)) return { ...last.answer, ...away(last, error) }
        // Each reference in the snapshot has its own error.
        if (error instanceof Partial) return error.snapshot
        throw error
      }
    },

    forCaller: (caller) => clientOf(connection, caller),

    forRequest({ headers }) {
      const key = headers.get('Component-Version-Key') ?? headers.get('Cloudflare-Workers-Version-Key') ?? own.key
      const override = headers.get('Component-Version-Override') ?? own.override
      const scriptOverride = headers.get('Cloudflare-Workers-Version-Overrides') ?? own.scriptOverride
      return clientOf(connection, { ...own, key, override, scriptOverride })
    },
  }
}

/** @type {typeof import('./index.d.ts').createClient} */
export function createClient(url, options = {}) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const connection = new Connection(new URL(url).origin, { ...DEFAULTS, ...given })
  return clientOf(connection, options.caller ?? {})
}
