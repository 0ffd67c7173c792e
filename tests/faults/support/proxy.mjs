import http from 'node:http'

/**
 * The faults of a call. Each gets the call and may forward it. Those with `ends` also end a run; the
 * others have the same effect as one of them.
 */
export const FAULTS = {
  'a reset before': { at: 'before', ends: true, fail: ({ socket }) => socket.resetAndDestroy() },
  'a reset in the answer': {
    at: 'after',
    reads: true,
    fail: ({ response, answer, socket }) => cut(response, answer, socket),
  },
  'truncated JSON': {
    at: 'after',
    reads: true,
    json: true,
    ends: true,
    fail: ({ response, answer }) => truncate(response, answer),
  },
  429: { at: 'before', fail: ({ response }) => refuse(response, 429) },
  '429 with Retry-After': {
    at: 'before',
    fail: ({ response, number }) => refuse(response, 429, { 'retry-after': number % 6 === 1 ? '1' : '0' }),
  },
  '500 before': { at: 'before', fail: ({ response }) => refuse(response, 500) },
  '500 after': { at: 'after', ends: true, fail: ({ response }) => refuse(response, 500) },
  '503 before': { at: 'before', ends: true, fail: ({ response }) => refuse(response, 503) },
  '503 after': { at: 'after', fail: ({ response }) => refuse(response, 503) },
  'silence before': { at: 'before', fail: () => {} },
  'silence after': { at: 'after', ends: true, fail: () => {} },
  'a part of a bulk call': {
    at: 'part',
    ends: true,
    bulk: true,
    fail: ({ response, left }) => unsuccessful(response, left),
  },
  'a kill before': { at: 'before', ends: true, kill: true, fail: kill },
  'a kill after': { at: 'after', ends: true, kill: true, fail: kill },
  'a kill in a bulk call': { at: 'part', ends: true, bulk: true, kill: true, fail: kill },
}

/** Tells if a fault applies to a call: a call without an effect has no "after". */
export function applies(fault, call) {
  if (fault.bulk) return call.bulk
  if (fault.json) return !call.path.includes('/values/')
  return call.writes || fault.at === 'before' || fault.reads === true
}

function refuse(response, status, headers = {}) {
  const errors = [{ code: 10000, message: 'as the test says' }]
  response.writeHead(status, headers).end(JSON.stringify({ success: false, errors, result: null }))
}

function cut(response, { status, body }, socket) {
  response.writeHead(status, { 'content-length': body.length })
  response.write(body.subarray(0, body.length >> 1), () => socket.resetAndDestroy())
}

function truncate(response, { status, body }) {
  response.writeHead(status).end(body.subarray(0, body.length >> 1))
}

function unsuccessful(response, left) {
  const result = { successful_key_count: 0, unsuccessful_keys: left }
  response.writeHead(200).end(JSON.stringify({ success: true, errors: [], result }))
}

function kill({ process, socket }) {
  process.kill('SIGKILL')
  socket.destroy()
}

/**
 * A proxy in front of wrangler's local KV API. `meet` decides for every call, before it is forwarded:
 * `{ fault }`, or `{ hold }` to wait before or after it takes effect. `calls` has all calls.
 */
export class FaultyProxy {
  #origin
  #server
  #sockets = new Set()
  calls = []
  /** @type {((call: object, index: number) => any) & { refuses?: number }} */
  meet = () => null
  process = null
  /** The time by the clock of the API; that of this computer if it is undefined. @type {Date | undefined} */
  date = undefined

  static async start(origin) {
    const proxy = new FaultyProxy()
    proxy.#origin = new URL(origin)
    proxy.#server = http.createServer((request, response) => {
      proxy.#take(request, response).catch(() => request.socket.destroy())
    })
    proxy.#server.on('connection', (socket) => {
      proxy.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => proxy.#sockets.delete(socket))
    })
    await proxy.listen(0)
    return proxy
  }

  get url() {
    return `http://127.0.0.1:${this.port}`
  }

  /** Accepts connections, on the same port as before. */
  listen(port = this.port) {
    return new Promise((resolve) => {
      this.#server.listen(port, '127.0.0.1', () => {
        this.port = this.#server.address().port
        resolve(this.port)
      })
    })
  }

  /** Refuses new connections and closes the open ones. */
  refuse() {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    return closed
  }

  stop() {
    return this.refuse()
  }

  async #take(request, response) {
    const body = await whole(request)
    const call = describe(request, body)
    this.calls.push(call)
    const { fault, hold } = this.meet(call, this.calls.length - 1) ?? {}
    await hold?.before?.()
    if (fault) return this.#fail(fault, request, response, body)
    const answer = await this.#forward(request, body)
    await hold?.after?.()
    const date = this.date && { date: this.date.toUTCString() }
    response.writeHead(answer.status, { ...answer.headers, ...date }).end(answer.body)
    if (this.meet.refuses === this.calls.length) response.once('close', () => this.refuse())
  }

  async #fail(fault, request, response, body) {
    const scene = { response, socket: request.socket, process: this.process, number: this.calls.length }
    if (fault.at === 'after') scene.answer = await this.#forward(request, body)
    if (fault.at === 'part') {
      const pairs = JSON.parse(body)
      const through = pairs.slice(0, pairs.length >> 1)
      if (through.length > 0) await this.#forward(request, Buffer.from(JSON.stringify(through)))
      scene.left = pairs.slice(through.length).map((pair) => pair.key ?? pair)
    }
    fault.fail(scene)
  }

  #forward({ method, url, headers }, body) {
    const { 'content-type': type } = headers
    const options = {
      host: this.#origin.hostname,
      port: this.#origin.port,
      method,
      path: url,
      headers: { ...(type && { 'content-type': type }), 'content-length': body.length },
    }
    return new Promise((resolve, reject) => {
      const sent = http.request(options, (answer) => {
        const { 'content-type': answered = 'application/json' } = answer.headers
        whole(answer).then(
          (text) => resolve({ status: answer.statusCode, headers: { 'content-type': answered }, body: text }),
          reject,
        )
      })
      sent.once('error', reject).end(body)
    })
  }
}

async function whole(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function describe({ method, url }, body) {
  const path = url.replace(/^.*\/storage\/kv\/namespaces/, '').replace(/\?.*/, '')
  const reads = method === 'GET' || path.endsWith('/bulk/get')
  return { method, path, writes: !reads, bulk: !reads && /\/bulk(\/delete)?$/.test(path), size: body.length }
}
