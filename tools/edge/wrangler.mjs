// `wrangler versions` and `wrangler deployments` against the local edge, in a tenth of the time:
// with the same arguments, the same JSON and the same entries in WRANGLER_OUTPUT_FILE_PATH.
// EDGE_API is the address of the edge's API, EDGE_BUILD the folder of the build to upload.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { WORKER_TAG } from './worker.mjs'

/** @typedef {(method: string, path: string, body?: object) => Promise<any>} Call */
/** @typedef {{ worker: string, name?: string, env?: string, tag?: string, message?: string, config: string }} Options */
/** @typedef {(call: Call, options: Options, args: string[]) => Promise<void>} Command */

const VERSION_LIST_LIMIT = 10
const ACCOUNT = '0'.repeat(32)

/** An error that wrangler reports in one line; `code` is the API's. */
class Failure extends Error {
  /** @param {string} message @param {number} [code] */
  constructor(message, code) {
    super(message)
    this.apiCode = code
  }
}

/** @satisfies {import('node:util').ParseArgsOptionsConfig} */
const OPTIONS = {
  tag: { type: 'string' },
  message: { type: 'string' },
  name: { type: 'string' },
  env: { type: 'string', short: 'e' },
  config: { type: 'string', short: 'c', default: 'wrangler.toml' },
  json: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
}

/** @type {Record<string, Command>} */
const COMMANDS = {
  'versions upload': upload,
  'versions deploy': deploy,
  'versions list': versionsList,
  'versions view': async (call, _options, [id]) => print(await call('GET', `versions/${id}`)),
  'deployments list': async (call) => print(oldestFirst((await call('GET', 'deployments')).deployments, 'created_on')),
  'deployments status': status,
}

/** @param {string[]} args */
async function main(args) {
  try {
    await run(args)
  } catch (error) {
    const { message, code } = /** @type {NodeJS.ErrnoException} */ (error)
    if (!(error instanceof Failure) && !code?.startsWith('ERR_PARSE_ARGS')) throw error
    console.error(`✘ [ERROR] ${message}`)
    const apiCode = error instanceof Failure ? error.apiCode : undefined
    output({ type: 'command-failed', version: 1, code: apiCode, message })
    process.exitCode = 1
  }
}

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
  const [group, name, ...rest] = positionals
  const command = COMMANDS[`${group} ${name}`]
  if (!command) throw new Failure(`The local edge's wrangler supports only: ${Object.keys(COMMANDS).join(', ')}.`)
  output({ type: 'wrangler-session', version: 1, wrangler_version: 'local edge', command_line_args: args })
  const worker = workerName(values)
  await command(caller(worker), { ...values, worker }, rest)
}

/** The Worker's name; as in wrangler, that of an environment ends with the environment's. @param {Omit<Options, 'worker'>} options */
function workerName({ name, env, config }) {
  if (name) return name
  if (!existsSync(config)) throw new Failure(`${config} does not exist; --name can name the Worker instead.`)
  const written = /^name = "([^"]+)"/m.exec(readFileSync(config, 'utf8'))?.[1]
  return env ? `${written}-${env}` : `${written}`
}

/** Calls the API about one Worker; a call resolves to the result. @param {string} worker @returns {Call} */
function caller(worker) {
  const api = process.env.EDGE_API
  if (!api) throw new Failure('EDGE_API is not set: `npm run edge` prints its value.')
  const base = `${api}/accounts/${ACCOUNT}/workers/scripts/${worker}`
  return async (method, path, body) => {
    const { success, result, errors } = await send(api, `${base}/${path}`, { method, body })
    if (success) return result
    const why = errors.map(({ code, message }) => `${message} [code: ${code}]`).join('; ')
    const message = `A request to the Cloudflare API (${new URL(base).pathname}/${path}) failed: ${why}`
    throw new Failure(message, errors[0].code)
  }
}

/**
 * @param {string} api @param {string} url @param {{ method: string, body?: object }} request
 * @returns {Promise<{ success: boolean, result: unknown, errors: { code: number, message: string }[] }>}
 */
async function send(api, url, { method, body }) {
  const headers = { authorization: 'Bearer edge' }
  const request =
    !body || body instanceof FormData
      ? { method, body, headers }
      : { method, body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } }
  try {
    return /** @type {any} */ (await (await fetch(url, request)).json())
  } catch (error) {
    const { cause, message } = /** @type {Error} */ (error)
    throw new Failure(`The local edge at ${api} does not answer: ${cause instanceof Error ? cause.message : message}`)
  }
}

/** @type {Command} */
async function upload(call, { tag, message, worker, env }) {
  const build = process.env.EDGE_BUILD ?? 'build'
  if (!existsSync(path.join(build, 'index.js'))) {
    throw new Failure(`${build}/index.js is missing: run \`npm run build\`, or set EDGE_BUILD.`)
  }
  const form = new FormData()
  const annotations = { 'workers/tag': tag, 'workers/message': message }
  form.set('metadata', JSON.stringify({ main_module: 'index.js', annotations }))
  for (const name of readdirSync(build)) addModule(form, build, name)
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

/** @param {FormData} form @param {string} build @param {string} name */
function addModule(form, build, name) {
  /** @type {Record<string, string>} */
  const types = { '.js': 'application/javascript+module', '.wasm': 'application/wasm' }
  const type = types[path.extname(name)]
  if (type) form.set(name, new File([readFileSync(path.join(build, name))], name, { type }))
}

/** @type {Command} */
async function deploy(call, { message, worker }, specs) {
  const versions = specs.map((spec) => {
    const [version_id, share] = spec.split('@')
    const percentage = Number.parseFloat(share)
    if (Number.isNaN(percentage)) throw new Failure(`${spec}: expected <version-id>@<percentage>.`)
    return { version_id, percentage }
  })
  const annotations = { 'workers/message': message }
  const { id } = await call('POST', 'deployments', { strategy: 'percentage', versions, annotations })
  output({
    type: 'version-deploy',
    version: 1,
    worker_name: worker,
    worker_tag: WORKER_TAG,
    deployment_id: id,
    // wrangler writes a Map as JSON here, which gives an empty object.
    version_traffic: {},
  })
  const shares = versions.map(({ version_id, percentage }) => `version ${version_id} at ${percentage}%`)
  console.log(`Deployed ${worker} ${shares.join(' and ')}`)
}

/** @type {Command} */
async function versionsList(call) {
  const { items } = await call('GET', 'versions?deployable=true')
  print(oldestFirst(items.slice(0, VERSION_LIST_LIMIT), 'number'))
}

/** @type {Command} */
async function status(call, { worker }) {
  const { deployments } = await call('GET', 'deployments')
  if (deployments.length === 0) throw new Failure(`The Worker ${worker} has no deployments.`)
  print(deployments[0])
}

/** @param {Record<string, any>[]} items @param {string} by a member */
const oldestFirst = (items, by) => items.sort((a, b) => (a[by] < b[by] ? -1 : 1))

/** @param {unknown} value */
const print = (value) => console.log(JSON.stringify(value, null, 2))

/** Adds an entry to wrangler's output file, for the process that started it. @param {object} entry */
function output(entry) {
  const file = process.env.WRANGLER_OUTPUT_FILE_PATH
  if (file) appendFileSync(file, `${JSON.stringify({ ...entry, timestamp: new Date().toISOString() })}\n`)
}

await main(process.argv.slice(2))
