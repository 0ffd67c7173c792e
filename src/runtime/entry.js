// The default entrypoint of the Worker. It only waits: Rust decides what to read and what to
// answer, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import * as wasm from 'component-resolver'
import { known } from './known.js'

// Requests are numbered here, because a new instance of the Wasm would start at 0 again.
let requests = 0

function nextNumber() {
  requests += 1
  return requests
}

/** Drives a future of the Wasm: awaits each promise that it returns, up to its value. */
async function outcome(number, first) {
  let step = first
  while (step instanceof Promise) {
    const settled = await step.then(
      (value) => ({ value }),
      (error) => ({ error, failed: true }),
    )
    step = settled.failed ? wasm.fail(number, settled.error) : wasm.resume(number, settled.value)
  }
  return step
}

/** The response of the full path. A client that cancels the request frees what it waits with. */
async function fullPath(request, env, record) {
  const number = nextNumber()
  const first = wasm.answer(number, request, env, record)
  if (!(first instanceof Promise)) return first
  const { signal } = request
  signal?.addEventListener('abort', () => wasm.cancel(number))
  const answer = await outcome(number, first)
  if (answer) return answer
  return signal?.aborted ? new Response(null, { status: 503 }) : wasm.overloaded(request, env)
}

/** The value of a call over a service binding. */
async function call(resolver, begin, ...args) {
  const number = nextNumber()
  const value = await outcome(number, begin(number, resolver, ...args))
  return value === undefined ? wasm.giveUp(resolver) : value
}

/**
 * The response of the fast lane after the read of its content; nothing if that read fails, as the
 * full path reports what is wrong, and null if too many requests wait.
 */
async function withContent(number, read) {
  const value = await read
  const bytes = value instanceof ArrayBuffer ? value : undefined
  return wasm.complete(number, bytes, bytes && (await crypto.subtle.digest('SHA-256', bytes)))
}

/** Counts a request against the rate limit of its caller: the response if it is exceeded. */
function overLimit(request, env) {
  const number = nextNumber()
  return outcome(number, wasm.limited(number, request, env))
}

let resolver
/** True if a rate limiter is bound. */
let limited = false

class Resolver extends WorkerEntrypoint {
  // The runtime constructs an entrypoint for each request, with the context of the request,
  // which nothing here uses, and the environment, which belongs to the isolate. So one
  // instance is enough, except for a class that extends this one, as that of `wrangler dev`
  // does, with fields of its own.
  // biome-ignore lint/correctness/noUnreachableSuper: an instance that is there already needs no `super`
  constructor(context, env) {
    const own = new.target === Resolver
    // biome-ignore lint/correctness/noConstructorReturn: see above
    if (own && resolver) return resolver
    super(context, env)
    limited = env.RATE_LIMITER !== undefined
    if (own) resolver = this
  }

  async fetch(request) {
    const refused = limited && (await overLimit(request, this.env))
    if (refused) return refused
    const { method, headers } = request
    const url = known?.get(request.url, method)
    // A request with If-Match takes the full path. A question of the Wasm would cost more.
    if (!url || headers.has('if-match')) return fullPath(request, this.env)
    const reads = url.key && known.read(url.key)
    if (reads && url.missed) wasm.readAlong(url.number, method, headers, reads)
    const record = reads && (await reads.first)
    const number = nextNumber()
    let answer = wasm.recall(number, url.number, method, headers, record, reads)
    url.missed = answer instanceof Promise
    if (url.missed) answer = await withContent(number, answer)
    reads?.end()
    if (answer === null) return wasm.overloaded(request, this.env)
    return answer ?? fullPath(request, this.env, record)
  }

  // RPC over a service binding, with the methods of a KV namespace.

  async get(key, options) {
    // The lane takes only single keys.
    if (typeof key !== 'string') return call(this, wasm.get, key, options)
    const url = known?.get(`rpc:${key}`, 'GET')
    if (!url) return call(this, wasm.get, key, options)
    const reads = url.key && known.read(url.key)
    const record = reads && (await reads.first)
    reads?.end()
    return wasm.recallValue(url.number, options, record) ?? call(this, wasm.get, key, options, record)
  }

  getWithMetadata(key, options) {
    return call(this, wasm.getWithMetadata, key, options)
  }

  list(options) {
    return call(this, wasm.list, options)
  }

  put() {
    return call(this, wasm.put)
  }

  delete() {
    return call(this, wasm.deleteKey)
  }

  forCaller(caller) {
    return wasm.forCaller(this, caller)
  }
}

// Runs while the isolate starts, so that V8 has compiled the functions of the first request.
outcome(0, wasm.rehearse(0, {})).catch(() => {})

export default Resolver
