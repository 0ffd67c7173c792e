import http from 'node:http'

import { listen } from '../../../tools/listen.mjs'
import { ACCOUNT, startCloudflare, TOKEN } from '../../cli/support/cloudflare.mjs'
import { startAccount } from '../../deploy/support/account.mjs'

const KV = `/client/v4/accounts/${ACCOUNT}/storage/kv/namespaces`

const DEPLOYMENT = {
  id: '6f1c9d4e-0b6a-4c8e-9a53-0f2d7c1b8e4a',
  source: 'wrangler',
  strategy: 'percentage',
  author_email: 'new@example.com',
  created_on: '2026-11-28T12:00:00Z',
  versions: [{ version_id: 'dc8dcd28-271b-4367-9840-6c244f84cb40', percentage: 100 }],
}

/**
 * Starts a Cloudflare account without namespaces and Workers. Workers are recorded, and namespaces are
 * those of a real local KV: each new one gets the next of `ids`.
 */
export async function startNewAccount(kv, ids) {
  const [workers, values] = [await startAccount(), await startCloudflare(kv.url)]
  const namespaces = []
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request))
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(403).end('{}')
    if (pathname === KV) return answer(response, own(request.method, body, Number(searchParams.get('page') ?? 1)))
    const [, script] = /\/workers\/scripts\/([\w-]+)\/deployments$/.exec(pathname) ?? []
    if (workers.secrets[script]) return answer(response, { deployments: [DEPLOYMENT] })
    const target = pathname.startsWith(KV) ? values.url : workers.env.CLOUDFLARE_API_BASE_URL
    await forward(request, body, target, response)
    if (request.method === 'PUT' && /\/workers\/scripts\/[\w-]+$/.test(pathname)) deployed(workers, pathname)
  })

  function own(method, body, page) {
    if (method === 'GET') return page === 1 ? namespaces : []
    const namespace = { id: ids[namespaces.length], title: JSON.parse(body).title }
    namespaces.push(namespace)
    return namespace
  }

  const url = `http://127.0.0.1:${await listen(server, 0)}/client/v4`
  return {
    namespaces,
    workers,
    env: { ...workers.env, CLOUDFLARE_API_BASE_URL: url },
    stop() {
      server.close()
      for (const each of [workers, values]) each.stop()
    },
  }
}

function answer(response, result) {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ success: true, errors: [], messages: [], result, result_info: { page: 1, count: 1 } }))
}

async function forward(request, body, target, response) {
  const path = request.url.replace('/client/v4', '')
  const { authorization, 'content-type': type = 'application/json' } = request.headers
  const init = { method: request.method, headers: { authorization, 'content-type': type } }
  const got = await fetch(target + path, request.method === 'GET' ? init : { ...init, body })
  response.writeHead(got.status, { 'content-type': got.headers.get('content-type') ?? 'application/json' })
  response.end(Buffer.from(await got.arrayBuffer()))
}

/** The uploaded Worker exists from now on, with the secrets of the upload. */
function deployed(workers, pathname) {
  const script = pathname.split('/').at(-1)
  const { bindings } = workers.uploads.at(-1).metadata
  const secrets = bindings.filter(({ type }) => type === 'secret_text').map(({ name, text }) => [name, text])
  workers.secrets[script] = { ...workers.secrets[script], ...Object.fromEntries(secrets) }
}
