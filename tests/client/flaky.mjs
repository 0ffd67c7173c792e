import http from 'node:http'
import { listen } from '../../tools/listen.mjs'
import { rawRequest } from '../worker/harness/request.mjs'

/**
 * Starts a proxy between a client and the resolver that fails on command. `fail(...)` takes a failure
 * for each of the next requests: a status, `[status, headers]`, `cut` (the body ends halfway), `hang`,
 * `refuse`, `swap` (another content). `seen` has every request.
 */
export async function startFlaky(origin) {
  const flaky = { seen: [], next: [], down: false }
  const server = http.createServer(async (request, response) => {
    const { method, url: path, headers } = request
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    flaky.seen.push({ method, path, headers })
    const failure = flaky.down ? 'refuse' : flaky.next.shift()
    if (failure === 'hang') return
    if (failure === 'refuse') return request.socket.destroy()
    if (Number.isInteger(failure) || Array.isArray(failure)) {
      const [status, sent] = [failure].flat()
      return response.writeHead(status, sent).end('made to fail')
    }
    const answer = await rawRequest(origin, { method, path, headers, body: Buffer.concat(chunks) })
    const { connection, 'transfer-encoding': _, ...kept } = answer.headers
    const body = failure === 'swap' ? Buffer.from('something else') : answer.body
    response.writeHead(answer.status, answer.status === 304 ? kept : { ...kept, 'content-length': body.length })
    if (failure !== 'cut') return response.end(body)
    response.write(body.subarray(0, body.length >> 1), () => request.socket.destroy())
  })
  const url = `http://127.0.0.1:${await listen(server, 0)}`
  server.unref().on('connection', (socket) => socket.unref())
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return Object.assign(flaky, { url, stop, fail: (...failures) => flaky.next.push(...failures) })
}
