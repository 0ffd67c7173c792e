import { spawn } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'

import { listen } from '../../../tools/listen.mjs'
import { GIT_ENV } from '../../cli/support/repo.mjs'

/**
 * A Git host: smart HTTP by Git's own `git http-backend` over the bare repository `dir`. `requests` are
 * those that came; with `password` it wants one. It never answers a request of the kind `hangs`: `fetch`
 * or `push`.
 *
 * @param {string} dir
 * @param {{ password?: string }} options
 */
export async function startHost(dir, { password } = {}) {
  /** @type {{ requests: { url: string, command?: string, text: string }[], hangs?: 'fetch' | 'push' }} */
  const state = { requests: [], hangs: undefined }
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request))
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1')
    const command = /command=(ls-refs|fetch)/.exec(text)?.[1]
    const kind = request.url.endsWith('/git-receive-pack') ? 'push' : command
    state.requests.push({ url: request.url, command, text })
    if (password && request.headers.authorization !== `Basic ${btoa(`reader:${password}`)}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
      return
    }
    if (!state.hangs || kind !== state.hangs) backend(dir, request, body, response)
  })
  const port = await listen(server, 0)
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return Object.assign(state, { port, url: `http://127.0.0.1:${port}/${path.basename(dir)}`, stop })
}

/** Hands a request to the CGI, and its answer back. */
function backend(dir, request, body, response) {
  const [file, query = ''] = request.url.split('?')
  const env = {
    ...GIT_ENV,
    GIT_PROJECT_ROOT: path.dirname(dir),
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: String(body.length),
    REQUEST_METHOD: request.method,
    PATH_INFO: file,
    QUERY_STRING: query,
  }
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => {})
  child.stdin.end(body)
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.once('close', () => {
    const whole = Buffer.concat(chunks)
    const end = whole.indexOf('\r\n\r\n')
    const lines = whole.subarray(0, end).toString().split('\r\n')
    const headers = Object.fromEntries(lines.map((line) => line.split(': ')))
    const status = Number.parseInt(headers.Status ?? '200', 10)
    delete headers.Status
    response.writeHead(status, headers).end(whole.subarray(end + 4))
  })
}

/** A host that takes connections and never says a word. */
export async function startSilence() {
  const sockets = new Set()
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})))
  const port = await listen(server, 0)
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}/components.git`, stop }
}
