// The Worker's default entrypoint. All that it does is wait: what to read, and what to
// answer, is decided in Rust, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import { _delete, ahead, answer, forCaller, get, getWithMetadata, list, put, recall } from 'component-resolver'

class Resolver extends WorkerEntrypoint {
  async fetch(request) {
    const { method, url } = request
    let record
    try {
      const reading = ahead(method, url)
      if (reading) record = await reading
    } catch (error) {
      record = Object(error)
    }
    return (await recall(method, url, request.headers, record)) ?? answer(request, this.env, record)
  }
}

// RPC over a service binding; wasm-bindgen can't export a reserved word by its name.
Object.assign(Resolver.prototype, { get, getWithMetadata, list, put, delete: _delete, forCaller })

export default Resolver
