// The Worker's default entrypoint. All that it does is wait: what to read, and what to
// answer, is decided in Rust, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import * as wasm from 'component-resolver'

// Requests are numbered here: a new instance of the Wasm does not begin anew.
let requests = 0

function nextNumber() {
  requests += 1
  return requests
}

/** What a request comes to that the Wasm begins, and resumes when a promise has settled. */
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

/** The answer of the fast lane with the content that it waits for; none where that can't be read. */
async function withContent(number, read) {
  try {
    const bytes = await read
    return wasm.complete(number, bytes, await crypto.subtle.digest('SHA-256', bytes))
  } catch {
    // The full path says what is wrong.
  }
}

let resolver

class Resolver extends WorkerEntrypoint {
  // The runtime makes an entrypoint for each request and gives it the request's context,
  // which nothing here uses, and the environment, which is the isolate's. So one is enough,
  // but not for who extends the class, as `wrangler dev` does, with fields of an instance's.
  // biome-ignore lint/correctness/noUnreachableSuper: an instance that is there already needs no `super`
  constructor(context, env) {
    const own = new.target === Resolver
    // biome-ignore lint/correctness/noConstructorReturn: see above
    if (own && resolver) return resolver
    super(context, env)
    if (own) resolver = this
  }

  async fetch(request) {
    const { method, url, headers } = request
    const reads = wasm.ahead(method, url, headers)
    const record = reads && (await reads.first)
    const number = nextNumber()
    let answer = wasm.recall(number, method, url, headers, record, reads)
    if (answer instanceof Promise) answer = await withContent(number, answer)
    reads?.end()
    return answer ?? outcome(wasm.answer, request, this.env, record)
  }

  // RPC over a service binding, in the shape of a KV namespace's.

  async get(key, options) {
    // Several keys are not the lane's.
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

// While the isolate starts, so that V8 has compiled what the first request needs.
outcome(wasm.rehearse, {}).catch(() => {})

export default Resolver
