import http from 'node:http'

import { close, listen } from '../listen.mjs'
import { Refused, WORKER_TAG } from './worker.mjs'

/** @typedef {Pick<import('./edge.mjs').LocalEdge, 'worker' | 'upload' | 'createDeployment'>} Edge */
/** @typedef {{ path: Record<string, string>, body: Buffer, type: string }} Call */
/** @typedef {NonNullable<ReturnType<FormData['get']>>} FormPart */
/** @typedef {{ status: number, result?: unknown, errors?: { code: number, message: string }[] }} Answer */

const MAX_BYTES = 64 * 1024 * 1024

/** workerd's kinds of modules by media type. @type {Record<string, string>} */
const KINDS = {
  'application/javascript+module': 'esModule',
  'application/wasm': 'wasm',
  'text/plain': 'text',
  'application/octet-stream': 'data',
}

/**
 * Serves the calls of Cloudflare's API that `wrangler versions` and `wrangler deployments` make, for
 * one Worker of any account. Any token is accepted, as nothing here is secret; a page in a browser
 * cannot send one.
 *
 * @param {Edge} edge @param {number} port
 */
export async function serveApi(edge, port) {
  const server = http.createServer((request, response) => void serve(edge, request, response))
  const url = `http://127.0.0.1:${await listen(server, port)}/client/v4`
  return { url, stop: () => close(server) }
}

/** @param {Edge} edge @param {http.IncomingMessage} request @param {http.ServerResponse} response */
async function serve(edge, request, response) {
  const { status, ...answer } = await answerTo(edge, request)
  const body = { success: status < 400, errors: [], messages: [], result: null, ...answer }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** @param {Edge} edge @param {http.IncomingMessage} request @returns {Promise<Answer>} */
async function answerTo(edge, request) {
  try {
    const { path, call } = find(request)
    if (!/^Bearer ./.test(request.headers.authorization ?? '')) {
      throw new Refused('Authentication error', { status: 403, code: 10000 })
    }
    if (path.worker !== edge.worker.name) throw notFound(path.worker)
    const body = await bodyOf(request)
    return { status: 200, result: await call(edge, { path, body, type: request.headers['content-type'] ?? '' }) }
  } catch (error) {
    if (error instanceof Refused)
      return { status: error.status, errors: [{ code: error.code, message: error.message }] }
    console.error(error)
    return { status: 500, errors: [{ code: 10013, message: String(error) }] }
  }
}

/** @param {string} worker */
const notFound = (worker) =>
  new Refused(`This Worker does not exist on your account: ${worker}`, { status: 404, code: 10007 })

const SCRIPT = '^/client/v4/accounts/[^/]+/workers/scripts/(?<worker>[^/]+)'

/** @type {[method: string, pattern: string, call: (edge: Edge, call: Call) => unknown][]} */
const ROUTES = [
  ['GET', '^/client/v4/accounts/[^/]+/workers/services/(?<worker>[^/]+)$', (edge) => service(edge.worker)],
  ['GET', `${SCRIPT}/versions$`, (edge) => ({ items: edge.worker.deployable() })],
  ['POST', `${SCRIPT}/versions$`, upload],
  ['GET', `${SCRIPT}/versions/(?<id>[^/]+)$`, (edge, { path }) => edge.worker.version(path.id).shown],
  ['GET', `${SCRIPT}/deployments$`, (edge) => ({ deployments: edge.worker.deployments() })],
  ['POST', `${SCRIPT}/deployments$`, (edge, { body }) => edge.createDeployment(json(body))],
  // wrangler asks before an upload, for secrets that the configuration requires.
  ['GET', `${SCRIPT}/secrets$`, () => []],
  ['PATCH', `${SCRIPT}/script-settings$`, (_, { body }) => json(body)],
]

/** @param {http.IncomingMessage} request */
function find({ method, url = '/' }) {
  const { pathname } = new URL(url, 'http://edge')
  for (const [verb, pattern, call] of ROUTES) {
    const match = verb === method && new RegExp(pattern).exec(pathname)
    if (match) return { path: { ...match.groups }, call }
  }
  throw new Refused(`The local edge does not support ${method} ${pathname}`, { status: 404, code: 7003 })
}

/** @param {http.IncomingMessage} request */
async function bodyOf(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Refused('The upload is too large.', { status: 413 })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @param {Buffer | string} body */
function json(body) {
  try {
    return JSON.parse(String(body))
  } catch {
    throw new Refused('The body is not JSON.')
  }
}

/** @param {{ name: string }} worker */
const service = ({ name }) => ({
  id: name,
  default_environment: {
    environment: 'production',
    script: { id: name, tag: WORKER_TAG, last_deployed_from: 'wrangler' },
  },
})

/**
 * Takes a version in wrangler's form: the field `metadata`, and a file for each module.
 *
 * @param {Edge} edge @param {Call} call
 */
async function upload(edge, { body, type }) {
  const form = await formOf(body, type)
  const metadata = json(await text(form.get('metadata')))
  const modules = await Promise.all([...form].filter(isModule).map(([name, part]) => moduleOf(name, part)))
  const entry = modules.findIndex(({ name }) => name === metadata.main_module)
  if (entry < 0) throw new Refused(`main_module ${metadata.main_module}: no such part.`)
  modules.unshift(...modules.splice(entry, 1))
  const { bindings, annotations } = metadata
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = metadata
  const shown = await edge.upload({ modules, bindings, annotations, compatibilityDate, compatibilityFlags })
  return { ...shown, startup_time_ms: 0 }
}

/** @param {[name: string, part: FormPart]} entry */
const isModule = ([name, part]) => name !== 'metadata' && !(isFile(part) && part.type === 'application/source-map')

/** @param {FormPart | null} part @returns {part is Exclude<FormPart, string>} */
const isFile = (part) => typeof part !== 'string' && part !== null

/** @param {Buffer} body @param {string} type */
async function formOf(body, type) {
  try {
    return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  } catch {
    throw new Refused('The upload is not a form.')
  }
}

/** @param {FormPart | null} part */
const text = (part) => (isFile(part) ? part.text() : (part ?? ''))

/** @param {string} name @param {FormPart} part */
async function moduleOf(name, part) {
  const kind = isFile(part) && Object.hasOwn(KINDS, part.type) && KINDS[part.type]
  if (kind) return { name, kind, source: Buffer.from(await part.arrayBuffer()) }
  throw new Refused(`module ${name}: the local edge does not support ${isFile(part) ? part.type : 'fields'}.`)
}
