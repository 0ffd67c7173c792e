import http from 'node:http'

import { Refused, WORKER_TAG } from './worker.mjs'

const MOST_BYTES = 64 * 1024 * 1024
const KINDS = {
  'application/javascript+module': 'esModule',
  'application/wasm': 'wasm',
  'text/plain': 'text',
  'application/octet-stream': 'data',
}

/**
 * The calls of Cloudflare's API that `wrangler versions` and `wrangler deployments` make, for
 * one Worker of any account: `{ url, stop() }`. The token is any: nothing here is a secret,
 * but a page in a browser can't send one.
 */
export async function serveApi(edge, port) {
  const server = http.createServer((request, response) => void serve(edge, request, response))
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${server.address().port}/client/v4`, stop }
}

async function serve(edge, request, response) {
  const { status, ...answer } = await answerTo(edge, request)
  const body = { success: status < 400, errors: [], messages: [], result: null, ...answer }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function answerTo(edge, request) {
  try {
    const { path, query, call } = find(request)
    if (!/^Bearer ./.test(request.headers.authorization ?? '')) {
      throw new Refused('Authentication error', { status: 403, code: 10000 })
    }
    if (path.worker !== edge.worker.name) throw notFound(path.worker)
    const body = await bodyOf(request)
    return { status: 200, result: await call(edge, { path, query, body, type: request.headers['content-type'] }) }
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error)
    const { status = 500, code = 10013, message } = error
    return { status, errors: [{ code, message }] }
  }
}

const notFound = (worker) =>
  new Refused(`This Worker does not exist on your account: ${worker}`, { status: 404, code: 10007 })

const SCRIPT = '^/client/v4/accounts/[^/]+/workers/scripts/(?<worker>[^/]+)'
const ROUTES = [
  ['GET', '^/client/v4/accounts/[^/]+/workers/services/(?<worker>[^/]+)$', (edge) => service(edge.worker)],
  ['GET', `${SCRIPT}/versions$`, (edge) => ({ items: edge.worker.deployable() })],
  ['POST', `${SCRIPT}/versions$`, upload],
  ['GET', `${SCRIPT}/versions/(?<id>[^/]+)$`, (edge, { path }) => edge.worker.version(path.id).shown],
  ['GET', `${SCRIPT}/deployments$`, (edge) => ({ deployments: edge.worker.deployments() })],
  ['POST', `${SCRIPT}/deployments$`, (edge, { body }) => edge.createDeployment(json(body))],
  // Asked ahead of an upload, for secrets that the configuration demands.
  ['GET', `${SCRIPT}/secrets$`, () => []],
  ['PATCH', `${SCRIPT}/script-settings$`, (_, { body }) => json(body)],
]

function find({ method, url }) {
  const { pathname, searchParams: query } = new URL(url, 'http://edge')
  for (const [verb, pattern, call] of ROUTES) {
    const match = verb === method && new RegExp(pattern).exec(pathname)
    if (match) return { path: match.groups, query, call }
  }
  throw new Refused(`The local edge has no ${method} ${pathname}`, { status: 404, code: 7003 })
}

async function bodyOf(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Refused('The upload is too large.', { status: 413 })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function json(body) {
  try {
    return JSON.parse(body)
  } catch {
    throw new Refused('The body is not JSON.')
  }
}

const service = ({ name }) => ({
  id: name,
  default_environment: {
    environment: 'production',
    script: { id: name, tag: WORKER_TAG, last_deployed_from: 'wrangler' },
  },
})

/** A version as wrangler sends it: a form with `metadata` and a part for each module. */
async function upload(edge, { body, type }) {
  const form = await formOf(body, type)
  const metadata = json(await text(form.get('metadata')))
  const parts = [...form].filter(([name, part]) => name !== 'metadata' && part.type !== 'application/source-map')
  const modules = await Promise.all(parts.map(([name, part]) => moduleOf(name, part)))
  const entry = modules.findIndex(({ name }) => name === metadata.main_module)
  if (entry < 0) throw new Refused(`main_module ${metadata.main_module}: no such part.`)
  modules.unshift(...modules.splice(entry, 1))
  const {
    bindings,
    annotations,
    compatibility_date: compatibilityDate,
    compatibility_flags: compatibilityFlags,
  } = metadata
  const shown = await edge.upload({ modules, bindings, annotations, compatibilityDate, compatibilityFlags })
  return { ...shown, startup_time_ms: 0 }
}

async function formOf(body, type) {
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch {
    throw new Refused('The upload is not a form.')
  }
}

const text = async (part) => (typeof part?.text === 'function' ? part.text() : (part ?? ''))

async function moduleOf(name, part) {
  const kind = KINDS[part.type]
  if (!kind) throw new Refused(`module ${name}: the local edge takes no ${part.type}.`)
  return { name, kind, source: Buffer.from(await part.arrayBuffer()) }
}
