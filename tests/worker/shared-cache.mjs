import CachePolicy from 'http-cache-semantics'

/**
 * An HTTP cache in front of a Worker that does everything that RFC 9111 allows: it stores every response
 * it may, and sends a request only if it must. `asked` has the requests that reached the Worker:
 * `{ path, conditional, status }`.
 */
export class HttpCache {
  asked = []
  #worker
  #shared
  #stored = new Map()

  constructor(worker, { shared = true } = {}) {
    this.#worker = worker
    this.#shared = shared
  }

  /** The number of stored responses. */
  get size() {
    return [...this.#stored.values()].flat().length
  }

  /** Answers as `{ status, headers, text, from }`: `cache`, `revalidated` or `worker`. */
  async fetch(path, headers = {}) {
    const request = { method: 'GET', url: path, headers: { host: 'resolver.example', ...headers } }
    const place = `${request.headers.host}${path}`
    const variants = this.#stored.get(place) ?? []
    const fresh = variants.find(({ policy }) => policy.satisfiesWithoutRevalidation(request))
    if (fresh) return served(fresh, 'cache')
    const conditions = variants.map((variant) => variant.policy.revalidationHeaders(request))
    const at = conditions.findIndex((sent) => sent['if-none-match'])
    const known = variants[at]
    const sent = { ...request, headers: at < 0 ? request.headers : conditions[at] }
    const answer = await this.#ask(sent)
    const entry = known ? renewed(known, sent, answer) : this.#entry(request, answer)
    const kept = variants.filter((variant) => variant !== known)
    this.#stored.set(place, entry.policy.storable() ? [...kept, entry] : kept)
    return served(entry, answer.status === 304 ? 'revalidated' : 'worker')
  }

  async #ask({ url, headers }) {
    const answer = await this.#worker.rawRequest({ path: url, headers })
    this.asked.push({ path: url, conditional: 'if-none-match' in headers, status: answer.status })
    return answer
  }

  #entry(request, answer) {
    return { policy: new CachePolicy(request, answer, { shared: this.#shared }), body: answer.body }
  }
}

function renewed(known, request, answer) {
  const { policy, modified } = known.policy.revalidatedPolicy(request, answer)
  return { policy, body: modified ? answer.body : known.body }
}

const served = ({ policy, body }, from) => ({
  status: policy.status(),
  headers: policy.responseHeaders(),
  text: body.toString(),
  from,
})
