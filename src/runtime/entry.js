// The default entrypoint of the Worker. It only waits: Rust decides what to read and what to
// answer, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import * as wasm from 'component-resolver'

// Requests are numbered here, because a new instance of the Wasm would start at 0 again.
let requests = 0

function nextNumber() {
  requests += 1
  return requests
}

/** Drives a future of the Wasm: awaits each promise that it returns, up to its value. */
async function outcome(begin, ...args) {
  const number = nextNumber()
  let step = begin(number, ...args)
  while (step instanceof Promise) {
    const settled = await step.then(
      (value) => ({ value }),
      (error) => ({ error, failed: true }),
    )
    step = settled.failed ? wasm.fail(number, settled.error) : wasm.resume(number, settled.value)
  }
  return step
}

/** The response of the fast lane after the read of its content; nothing if that read fails. */
async function withContent(number, read) {
  try {
    const bytes = await read
    return wasm.complete(number, bytes, await crypto.subtle.digest('SHA-256', bytes))
  } catch {
    // The full path reports what is wrong.
  }
}

let resolver

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
    if (own) resolver = this
  }

  async fetch(request) {
    const { url, headers } = request
    // A request with If-Match takes the full path. A question of the Wasm would cost more.
    const method = headers.has('if-match') ? 'conditional' : request.method
    const reads = wasm.ahead(method, url, headers)
    const record = reads && (await reads.first)
    const number = nextNumber()
    let answer = wasm.recall(number, method, url, headers, record, reads)
    if (answer instanceof Promise) answer = await withContent(number, answer)
    reads?.end()
    return answer ?? outcome(wasm.answer, request, this.env, record)
  }

  // RPC over a service binding, with the methods of a KV namespace.

  async get(key, options) {
    // The lane takes only single keys.
    if (typeof key !== 'string') return outcome(wasm.get, this, key, options)
    const reads = wasm.aheadOf(key)
    const record = reads && (await reads.first)
    reads?.end()
    return wasm.recallValue(key, options, record) ?? outcome(wasm.get, this, key, options, record)
  }

  getWithMetadata(key, options) {
    return outcome(wasm.getWithMetadata, this, key, options)
  }

  list(options) {
    return outcome(wasm.list, this, options)
  }

  put() {
    return outcome(wasm.put, this)
  }

  delete() {
    return outcome(wasm.deleteKey, this)
  }

  forCaller(caller) {
    return wasm.forCaller(this, caller)
  }
}

// Runs while the isolate starts, so that V8 has compiled the functions of the first request.
outcome(wasm.rehearse, {}).catch(() => {})

export default Resolver
