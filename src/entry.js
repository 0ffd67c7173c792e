// The Worker's default entrypoint. All that it does is wait: what to read, and what to
// answer, is decided in Rust, before and after the one read that a slot costs.
import { WorkerEntrypoint } from 'cloudflare:workers'

import { ahead, answer, recall } from 'component-resolver'

export default class extends WorkerEntrypoint {
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
