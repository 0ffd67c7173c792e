import http from 'node:http'
import { listen } from '../../../tools/listen.mjs'

export const TOKEN = 's3cret-token'
export const ACCOUNT = '0123456789abcdef0123456789abcdef'
const PREFIX = `/client/v4/accounts/${ACCOUNT}/storage/kv/namespaces/`

/**
 * Starts Cloudflare's API in front of a real local KV: the addresses and the token are Cloudflare's,
 * the answers wrangler's. `interfere` may answer a call instead.
 */
export async function startCloudflare(kvUrl) {
  const state = { calls: [], interfere: (_call) => null }
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request))
    const call = { method: request.method, path: request.url.replace(PREFIX, ''), body: body.toString() }
    state.calls.push(call)
    const { status, headers, text } = answerItself(request, state.interfere(call)) ?? (await forward(call, body))
    response.writeHead(status, headers).end(text)
  })
  const port = await listen(server, 0)

  async function forward({ method, path }, body) {
    const url = `${kvUrl}/cdn-cgi/explorer/api/storage/kv/namespaces/${path}`
    const headers = method === 'GET' ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(url, { method, headers, body: method === 'GET' ? undefined : body })
    return { status: answer.status, headers: {}, text: Buffer.from(await answer.arrayBuffer()) }
  }
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/client/v4`,
    stop: () => server.close(),
  })
}

function answerItself(request, mishap) {
  if (mishap) return { headers: {}, text: '', ...mishap }
  if (request.headers.authorization === `Bearer ${TOKEN}` && request.url.startsWith(PREFIX)) return null
  const errors = [{ code: 10000, message: 'Authentication error' }]
  return { status: 403, headers: {}, text: JSON.stringify({ success: false, errors, result: null }) }
}
