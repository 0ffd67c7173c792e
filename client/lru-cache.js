/** A Map that evicts the least recently used items when their total size exceeds a bound. */
export class LruCache {
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

  /**
   * Keeps a value. One that exceeds the bound by itself is not kept, and evicts only the old one of its key.
   *
   * @param {string} key @param {any} value @param {number} size
   */
  set(key, value, size) {
    this.#size -= this.#items.get(key)?.size ?? 0
    this.#items.delete(key)
    if (size > this.bound) return
    this.#size += size
    this.#items.set(key, { value, size })
    for (const [oldest, item] of this.#items) {
      if (this.#size <= this.bound) return
      this.#size -= item.size
      this.#items.delete(oldest)
    }
  }

  /** Removes the items for which the predicate holds. @param {(key: string, value: any) => boolean} predicate */
  deleteWhere(predicate) {
    for (const [key, { value, size }] of this.#items) {
      if (!predicate(key, value)) continue
      this.#size -= size
      this.#items.delete(key)
    }
  }
}
