// `wrangler versions` and `wrangler deployments` against the local edge, in a tenth of the
// time: the same arguments, the same JSON, the same entries of WRANGLER_OUTPUT_FILE_PATH.
// EDGE_API is the address of the edge's API, EDGE_BUILD the build that is uploaded.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { WORKER_TAG } from './worker.mjs'

const VERSION_LIST_LIMIT = 10
const ACCOUNT = '0'.repeat(32)

class Failure extends Error {}

const OPTIONS = {
  tag: { type: 'string' },
  message: { type: 'string' },
  name: { type: 'string' },
  env: { type: 'string', short: 'e' },
  config: { type: 'string', short: 'c', default: 'wrangler.toml' },
  json: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
}

const COMMANDS = {
  'versions upload': upload,
  'versions deploy': deploy,
  'versions list': versionsList,
  'versions view': async (call, _options, [id]) => print(await call('GET', `versions/${id}`)),
  'deployments list': async (call) => print(oldestFirst((await call('GET', 'deployments')).deployments, 'created_on')),
  'deployments status': status,
}

async function main(args) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [group, name, ...rest] = positionals
    const command = COMMANDS[`${group} ${name}`]
    if (!command) throw new Failure(`The local edge's wrangler has: ${Object.keys(COMMANDS).join(', ')}.`)
    output({ type: 'wrangler-session', version: 1, wrangler_version: 'local edge', command_line_args: args })
    const worker = workerName(values)
    await command(caller(worker), { ...values, worker }, rest)
  } catch (error) {
    if (!(error instanceof Failure) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error
    console.error(`✘ [ERROR] ${error.message}`)
    output({ type: 'command-failed', version: 1, code: error.apiCode, message: error.message })
    process.exitCode = 1
  }
}

/** The Worker's name as wrangler makes it: of an environment, with that behind. */
function workerName({ name, env, config }) {
  if (name) return name
  if (!existsSync(config)) throw new Failure(`${config}: there is no such file; --name names the Worker, too.`)
  const written = /^name = "([^"]+)"/m.exec(readFileSync(config, 'utf8'))?.[1]
  return env ? `${written}-${env}` : written
}

/** Calls of the API about one Worker; gives the result. */
function caller(worker) {
  const api = process.env.EDGE_API
  if (!api) throw new Failure('EDGE_API is not set: `npm run edge` says what to set it to.')
  const base = `${api}/accounts/${ACCOUNT}/workers/scripts/${worker}`
  return async (method, path, body) => {
    const form = body instanceof FormData
    const headers = { authorization: 'Bearer edge', ...(body && !form && { 'content-type': 'application/json' }) }
    const answer = await fetch(`${base}/${path}`, {
      method,
      headers,
      body: form || !body ? body : JSON.stringify(body),
    }).catch((error) => {
      throw new Failure(`The local edge at ${api} does not answer: ${error.cause?.message ?? error}`)
    })
    const { success, result, errors } = await answer.json()
    if (success) return result
    const why = errors.map(({ code, message }) => `${message} [code: ${code}]`).join('; ')
    const failed = new Failure(`A request to the Cloudflare API (${new URL(base).pathname}/${path}) failed: ${why}`)
    throw Object.assign(failed, { apiCode: errors[0].code })
  }
}

async function upload(call, { tag, message, worker, env }) {
  const build = process.env.EDGE_BUILD ?? 'build'
  if (!existsSync(path.join(build, 'index.js')))
    throw new Failure(`${build}/index.js is missing: run \`npm run build\`, or set EDGE_BUILD.`)
  const form = new FormData()
  const annotations = { 'workers/tag': tag, 'workers/message': message }
  form.set('metadata', JSON.stringify({ main_module: 'index.js', annotations }))
  for (const name of readdirSync(build)) {
    const type = { '.js': 'application/javascript+module', '.wasm': 'application/wasm' }[path.extname(name)]
    if (type) form.set(name, new File([readFileSync(path.join(build, name))], name, { type }))
  }
  const { id } = await call('POST', 'versions', form)
  output({
    type: 'version-upload',
    version: 1,
    worker_name: worker,
    worker_tag: WORKER_TAG,
    version_id: id,
    wrangler_environment: env,
    worker_name_overridden: false,
  })
  console.log(`Uploaded ${worker}\nWorker Version ID: ${id}`)
}

async function deploy(call, { message, worker }, specs) {
  const versions = specs.map((spec) => {
    const [version_id, share] = spec.split('@')
    const percentage = Number.parseFloat(share)
    if (Number.isNaN(percentage)) throw new Failure(`${spec}: give <version-id>@<percentage>.`)
    return { version_id, percentage }
  })
  const annotations = { 'workers/message': message }
  const { id } = await call('POST', 'deployments', { strategy: 'percentage', versions, annotations })
  // wrangler's own entry has an empty object here: it writes a Map as JSON.
  output({
    type: 'version-deploy',
    version: 1,
    worker_name: worker,
    worker_tag: WORKER_TAG,
    deployment_id: id,
    version_traffic: {},
  })
  const shares = versions.map(({ version_id, percentage }) => `version ${version_id} at ${percentage}%`)
  console.log(`Deployed ${worker} ${shares.join(' and ')}`)
}

async function versionsList(call) {
  const { items } = await call('GET', 'versions?deployable=true')
  print(oldestFirst(items.slice(0, VERSION_LIST_LIMIT), 'number'))
}

async function status(call, { worker }) {
  const { deployments } = await call('GET', 'deployments')
  if (deployments.length === 0) throw new Failure(`The Worker ${worker} has no deployments.`)
  print(deployments[0])
}

const oldestFirst = (items, by) => items.sort((a, b) => (a[by] < b[by] ? -1 : 1))

const print = (value) => console.log(JSON.stringify(value, null, 2))

/** An entry as wrangler adds it for who started it. */
function output(entry) {
  const file = process.env.WRANGLER_OUTPUT_FILE_PATH
  if (file) appendFileSync(file, `${JSON.stringify({ ...entry, timestamp: new Date().toISOString() })}\n`)
}

await main(process.argv.slice(2))
