import { RpcTarget } from 'cloudflare:workers'

/** The resolver's methods for one caller: each call says who asks. */
class ForCaller extends RpcTarget {
  #resolver
  #caller

  constructor(resolver, caller) {
    super()
    this.#resolver = resolver
    this.#caller = caller
  }

  #options(options) {
    return { ...(typeof options === 'string' ? { type: options } : options), caller: this.#caller }
  }

  get(key, options) {
    return this.#resolver.get(key, this.#options(options))
  }

  getWithMetadata(key, options) {
    return this.#resolver.getWithMetadata(key, this.#options(options))
  }

  list(options) {
    return this.#resolver.list(options)
  }

  put() {
    return this.#resolver.put()
  }

  delete() {
    return this.#resolver.delete()
  }
}

export const forCaller = (resolver, caller) => new ForCaller(resolver, caller)
