// The URLs that the fast lane knows. Rust fills and empties the table; `entry.js` looks a URL up before
// it asks Rust: a `Map` finds a string for less than it takes to pass one to the Wasm.
import { Reads } from './within.js'

// URLs are numbered here, because a new instance of the Wasm would start at 0 again.
let numbers = 0

/**
 * @typedef {object} KnownUrl
 * @property {number} number
 * @property {string} [key] the key of the slot record
 * @property {boolean} missed the last response had to read its content
 */

/** The table of the isolate, once it serves requests. */
export let known

export class KnownUrls {
  /** @type {Map<string, KnownUrl>} */
  urls = new Map()

  /**
   * The lane answers `methods`. `namespace` has the slot records, `options` are those of a read, which
   * may take `milliseconds`.
   */
  constructor(methods, namespace, options, milliseconds) {
    this.methods = methods
    this.namespace = namespace
    this.options = options
    this.milliseconds = milliseconds
  }

  /** Lets `entry.js` use this table. */
  serve() {
    known = this
  }

  /** What is known of a URL, if the lane answers this method. */
  get(url, method) {
    return this.methods.includes(method) ? this.urls.get(url) : undefined
  }

  number(url) {
    return this.urls.get(url)?.number
  }

  add(url, key) {
    numbers += 1
    this.urls.set(url, { number: numbers, key, missed: false })
    return numbers
  }

  remove(url, number) {
    if (this.number(url) === number) this.urls.delete(url)
  }

  /** Begins to read a slot record. The full path reports what is wrong with a namespace that throws. */
  read(key) {
    try {
      return new Reads(this.namespace.get(key, this.options), this.milliseconds)
    } catch {}
  }
}
