import http from 'node:http'

import { close, listen } from '../listen.mjs'

// workerd closes a connection that has been idle for 5 s; a request at that moment would fail.
const IDLE_MS = 3_000
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade'])

/**
 * The public address, which stays the same while the workerd behind it is replaced. Each request is
 * sent completely to the workerd that is current when it arrives. `leave` resolves when a workerd
 * has answered all of its requests.
 */
export class FrontProxy {
  #target = ''
  #agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS })
  /** @type {Map<string, { count: number, idle?: () => void }>} */
  #open = new Map()
  #server = http.createServer((request, response) => this.#forward(request, response))

  /** @param {number} port */
  async listen(port) {
    return `http://127.0.0.1:${await listen(this.#server, port)}`
  }

  /** Sends requests to `url` from now on. @param {string} url */
  use(url) {
    this.#target = url
  }

  /** Resolves when no request to `url` is in progress; it must no longer be used. @param {string} url */
  async leave(url) {
    const open = this.#open.get(url)
    if (open && open.count > 0) await new Promise((resolve) => (open.idle = () => resolve(undefined)))
    this.#open.delete(url)
  }

  async stop() {
    this.#agent.destroy()
    await close(this.#server)
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  #forward(request, response) {
    const target = this.#target
    const done = this.#enter(target)
    const { hostname, port } = new URL(target)
    const { method, url: path } = request
    const headers = endToEnd(request.rawHeaders)
    const sent = http.request({ hostname, port, method, path, headers, setHost: false, agent: this.#agent })
    sent.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
      answer.once('error', () => response.destroy()).pipe(response)
    })
    sent.once('error', (error) => {
      if (response.headersSent) return response.destroy()
      response.writeHead(502).end(`The version did not answer: ${error.message}\n`)
    })
    response.once('close', () => {
      sent.destroy()
      done()
    })
    request.pipe(sent)
  }

  /** Counts a request as in progress; returns the function that ends it. @param {string} url */
  #enter(url) {
    const open = this.#open.get(url) ?? { count: 0 }
    this.#open.set(url, open)
    open.count += 1
    return () => {
      open.count -= 1
      if (open.count === 0) open.idle?.()
    }
  }
}

/** Alternating names and values, without the headers that concern one connection only. @param {string[]} rawHeaders */
function endToEnd(rawHeaders) {
  const kept = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[at].toLowerCase())) kept.push(rawHeaders[at], rawHeaders[at + 1])
  }
  return kept
}
