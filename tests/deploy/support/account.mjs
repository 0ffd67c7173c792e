import http from 'node:http'
import { listen } from '../../../tools/listen.mjs'
import { ACCOUNT, TOKEN } from '../../cli/support/cloudflare.mjs'

const ROOT = `/client/v4/accounts/${ACCOUNT}/workers/`

/**
 * The calls of wrangler to an account with a workers.dev name and without Workers.
 *
 * @type {[call: RegExp, status: number, answer: object][]}
 */
const ANSWERS = [
  [/^GET services\//, 404, { errors: [{ code: 10090, message: 'workers.api.error.service_not_found' }] }],
  [/^GET scripts\/[\w-]+\/deployments$/, 200, { result: { deployments: [] } }],
  [/^GET subdomain$/, 200, { result: { subdomain: 'example' } }],
  [/^GET workers\//, 200, { result: { subdomain: { enabled: true, previews_enabled: true } } }],
  [/^PUT scripts\/[\w-]+$/, 200, { result: { id: 'x', etag: 'x', deployment_id: 'x', startup_time_ms: 1 } }],
  [
    /^POST scripts\/[\w-]+\/domains\/changeset/,
    200,
    { result: { added: [], removed: [], updated: [], conflicting: [] } },
  ],
]

/**
 * Starts a Cloudflare account as the real wrangler needs it for a deployment. It records uploads,
 * secrets and domains.
 */
export async function startAccount() {
  const state = { calls: [], uploads: [], domains: {}, secrets: {} }
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request))
    const call = `${request.method} ${request.url.replace(ROOT, '').replace(/\?.*/, '')}`
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(403).end('{}')
    state.calls.push(call)
    await keep(state, call, body, request.headers['content-type'])
    const [, status, answer] = secretsOf(state, call) ??
      ANSWERS.find(([pattern]) => pattern.test(call)) ?? [/./, 200, { result: {} }]
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ success: status === 200, errors: [], messages: [], result: null, ...answer }))
  })
  const url = `http://127.0.0.1:${await listen(server, 0)}/client/v4`
  const env = { CLOUDFLARE_API_BASE_URL: url, CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT }
  return Object.assign(state, { env, stop: () => server.close() })
}

/**
 * The names of a Worker's secrets; an error if the Worker does not exist.
 *
 * @returns {[call: RegExp, status: number, answer: object] | undefined}
 */
function secretsOf({ secrets }, call) {
  const [, script] = /^GET scripts\/([\w-]+)\/secrets$/.exec(call) ?? []
  if (!script) return undefined
  if (!secrets[script]) {
    const errors = [{ code: 10007, message: 'This Worker does not exist on your account.' }]
    return [/./, 404, { errors }]
  }
  return [/./, 200, { result: Object.keys(secrets[script]).map((name) => ({ name, type: 'secret_text' })) }]
}

async function keep(state, call, body, type) {
  const [, script] = /^PUT scripts\/([\w-]+)$/.exec(call) ?? []
  if (script) state.uploads.push({ script, ...(await uploaded(body, type)) })
  const [, keeper] = /^PUT scripts\/([\w-]+)\/secrets$/.exec(call) ?? []
  if (keeper) {
    const { name, text } = JSON.parse(body)
    state.secrets[keeper] = { ...state.secrets[keeper], [name]: text }
  }
  const [, owner] = /^PUT scripts\/([\w-]+)\/domains\/records$/.exec(call) ?? []
  // Like Cloudflare with an override: a domain has one Worker.
  if (owner) for (const { hostname } of JSON.parse(body).origins) state.domains[hostname] = owner
}

/** Parses the metadata and the modules of an upload. */
async function uploaded(body, type) {
  const form = await new Response(body, { headers: { 'content-type': type } }).formData()
  const { metadata, ...modules } = Object.fromEntries(form)
  const entries = Object.entries(modules).map(async ([name, file]) => [
    name,
    Buffer.from(await /** @type {File} */ (file).arrayBuffer()),
  ])
  return {
    metadata: JSON.parse(typeof metadata === 'string' ? metadata : await metadata.text()),
    modules: Object.fromEntries(await Promise.all(entries)),
  }
}
