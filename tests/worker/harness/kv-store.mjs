/** The namespaces of a KV server: name → Map of key → value, or `{ value, metadata, expiration }`. */
export class KvStore {
  #namespaces

  constructor(namespaces = {}) {
    this.#namespaces = new Map(Object.entries(namespaces))
  }

  names() {
    return [...this.#namespaces.keys()]
  }

  namespace(name) {
    const found = this.#namespaces.get(name)
    if (found) return found
    throw new Error(`The KV server has no namespace ${name}, only ${this.names().join(', ')}.`)
  }

  put(name, key, value, { metadata = undefined, expiration = undefined } = {}) {
    this.namespace(name).set(key, { value, metadata, expiration })
  }

  delete(name, key) {
    return this.namespace(name).delete(key)
  }

  /** The entry with its value as bytes; undefined if it does not exist or has expired. */
  entry(name, key) {
    const stored = this.namespace(name).get(key)
    if (stored === undefined) return undefined
    const bare = typeof stored === 'string' || stored instanceof Uint8Array
    const { value, metadata, expiration } = bare ? { value: stored } : stored
    if (expiration !== undefined && expiration * 1000 <= Date.now()) return undefined
    return { value: Buffer.from(value), metadata, expiration }
  }

  /** A page of keys in byte order; the cursor is the last key of the previous page. */
  page(name, { prefix = '', limit = 1000, cursor = '' }) {
    const after = Buffer.from(cursor, 'base64').toString()
    const keys = [...this.namespace(name).keys()]
      .filter((key) => key.startsWith(prefix) && this.entry(name, key))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .filter((key) => after === '' || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    const shown = keys.slice(0, limit)
    if (shown.length === keys.length) return { keys: shown }
    return { keys: shown, cursor: Buffer.from(shown.at(-1)).toString('base64') }
  }
}
