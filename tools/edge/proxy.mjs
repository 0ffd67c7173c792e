import http from 'node:http'

// workerd closes a connection that was idle for 5 s; to use it at that moment would fail.
const IDLE_MS = 3_000
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade'])

/**
 * The address that stays while what answers behind it changes: each request goes whole to
 * the workerd of its moment, and `leave` resolves when that one has answered all it got.
 */
export class FrontProxy {
  #target
  #agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS })
  #open = new Map()
  #server = http.createServer((request, response) => this.#forward(request, response))

  async listen(port) {
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${this.#server.address().port}`
  }

  /** From now on requests go to `url`. */
  use(url) {
    this.#target = url
  }

  /** Resolves when no request is under way to `url`, which must no longer be used. */
  async leave(url) {
    const open = this.#open.get(url)
    if (open?.count > 0) await new Promise((resolve) => (open.idle = resolve))
    this.#open.delete(url)
  }

  async stop() {
    this.#agent.destroy()
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  #forward(request, response) {
    const target = this.#target
    const done = this.#enter(target)
    const { hostname, port } = new URL(target)
    const headers = endToEnd(request.rawHeaders)
    const { method, url: path } = request
    const sent = http.request({ hostname, port, method, path, headers, setHost: false, agent: this.#agent })
    sent.once('response', (answer) => {
      response.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders))
      answer.once('error', () => response.destroy()).pipe(response)
    })
    sent.once('error', (error) => {
      if (response.headersSent) return response.destroy()
      response.writeHead(502).end(`the edge has no answer: ${error.message}\n`)
    })
    response.once('close', () => {
      sent.destroy()
      done()
    })
    request.pipe(sent)
  }

  /** Counts a request as under way; gives what to call when it is not. */
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

/** Names and values in turn, without the headers that are about one connection only. */
function endToEnd(rawHeaders) {
  const kept = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[at].toLowerCase())) kept.push(rawHeaders[at], rawHeaders[at + 1])
  }
  return kept
}
