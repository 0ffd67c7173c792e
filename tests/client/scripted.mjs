import http from 'node:http'
import { listen } from '../../tools/listen.mjs'

/**
 * An answer of the script: `refuse` (no response), `cut` (the body ends halfway), `hang`, or a response.
 *
 * @typedef {{ status?: number, headers?: Record<string, string>, body?: string, json?: unknown, cut?: boolean }} Response
 * @typedef {'refuse' | 'hang' | Response} Answer
 */

/** @param {http.ServerResponse} response @param {Response} answer */
function give(response, { status = 200, headers = {}, body, json, cut = false }) {
  const bytes = Buffer.from(json === undefined ? (body ?? '') : JSON.stringify(json))
  const length = status === 304 ? {} : { 'Content-Length': bytes.length }
  response.writeHead(status, { ...length, ...headers })
  if (!cut) return response.end(bytes)
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket.destroy())
}

/** Starts a resolver that gives the answers in `next` in their order, and then no answer. `seen` has every request. */
export async function startScripted() {
  const resolver = {
    /** @type {Answer[]} */ next: [],
    /** @type {{ method: string, path: string, query: object, headers: http.IncomingHttpHeaders, body: unknown }[]} */
    seen: [],
  }
  const server = http.createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const [path, query] = request.url.split('?')
    resolver.seen.push({
      method: request.method,
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: request.headers,
      body: body && JSON.parse(body),
    })
    const answer = resolver.next.shift() ?? 'refuse'
    if (answer === 'refuse') return request.socket.destroy()
    if (answer !== 'hang') give(response, answer)
  })
  const url = `http://127.0.0.1:${await listen(server, 0)}`
  server.unref().on('connection', (socket) => socket.unref())
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return Object.assign(resolver, { url, stop })
}
