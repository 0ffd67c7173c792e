// The Worker's default entrypoint. All that it does is wait: what to read, and what to
// answer, is decided in Rust, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import {
  _delete,
  ahead,
  aheadOf,
  answer,
  complete,
  contentOf,
  forCaller,
  get,
  getWithMetadata,
  list,
  put,
  recall,
  recallValue,
  rehearse,
} from 'component-resolver'

/** The answer with the content that it waits for; none where the read fails. */
async function withContent(number, reads) {
  try {
    const bytes = await contentOf(number, reads)
    return complete(number, bytes, await crypto.subtle.digest('SHA-256', bytes))
  } catch {
    // The full path says what is wrong.
  }
}

let resolver

class Resolver extends WorkerEntrypoint {
  // The runtime makes an entrypoint for each request and gives it the request's context,
  // which nothing here uses, and the environment, which is the isolate's. So one is enough,
  // but not for who extends the class, as `wrangler dev` does, with fields of an instance's.
  constructor(context, env) {
    const own = new.target === Resolver
    if (own && resolver) return resolver
    super(context, env)
    if (own) resolver = this
  }

  async fetch(request) {
    const { method, url } = request
    const reads = ahead(method, url)
    const record = reads && (await reads.first)
    const given = recall(method, url, request.headers, record)
    const response = typeof given === 'number' ? await withContent(given, reads) : given
    reads?.end()
    return response ?? answer(request, this.env, record)
  }

  async get(key, options) {
    // Several keys are not the lane's.
    if (typeof key !== 'string') return get.call(this, key, options)
    const reads = aheadOf(key)
    const record = reads && (await reads.first)
    reads?.end()
    return recallValue(key, options, record) ?? get.call(this, key, options, record)
  }
}

// RPC over a service binding; wasm-bindgen can't export a reserved word by its name.
Object.assign(Resolver.prototype, { getWithMetadata, list, put, delete: _delete, forCaller })

// While the isolate starts, so that V8 has compiled what the first request needs.
rehearse({}).catch(() => {})

export default Resolver
