import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildSync } from 'esbuild'

import * as capnp from '../workerd/capnp.mjs'
import { Workerd } from '../workerd/process.mjs'

/** @typedef {import('./worker.mjs').RunnableVersion} RunnableVersion */
/** @typedef {import('./worker.mjs').Binding} Binding */
/** @typedef {{ address: string, namespaces: string[] }} Kv a server that speaks workerd's KV protocol */
/** @typedef {Record<string, unknown>} Vars text bindings by name */
/** @typedef {{ deployments: import('./routing.js').State[], spread: number }} Routing */

const FRONT = fileURLToPath(new URL('front.js', import.meta.url))
// Only for the Worker in front; each version has its own.
const FRONT_COMPATIBILITY_DATE = '2026-10-01'
const SOCKETS = { http: '"front"', control: '(name = "front", entrypoint = "Control")' }

/**
 * Starts a workerd with the Worker in front and the versions behind it. Throws, with the output of
 * workerd, if a version does not start.
 *
 * @param {{ worker: string, versions: RunnableVersion[], kv: Kv, vars: Vars }} options
 */
export async function startRuntime({ worker, versions, kv, vars }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'local-edge-'))
  try {
    const workerd = new Workerd(writeConfig(folder, { worker, versions, kv, vars }))
    const urls = await workerd.started(Object.keys(SOCKETS))
    const ids = new Set(versions.map(({ id }) => id))
    return {
      url: urls.http,
      ended: workerd.ended,
      has: (/** @type {string} */ id) => ids.has(id),
      update: (/** @type {Routing} */ routing) => update(urls.control, routing),
      stop: () => workerd.stop(),
    }
  } finally {
    // workerd has read all files when it listens.
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} url @param {Routing} routing */
async function update(url, routing) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(routing) })
  if (!answer.ok) throw new Error(`The Worker in front refused the deployments: ${answer.status}`)
}

/** @param {string} folder @param {{ worker: string, versions: RunnableVersion[], kv: Kv, vars: Vars }} options */
function writeConfig(folder, { worker, versions, kv, vars }) {
  const services = kv.namespaces.map((name) => capnp.kvService(name, kv.address))
  const workers = versions.map((version, number) => versionText(folder, `version${number}`, { version, vars }))
  services.push(...versions.map((_, number) => `(name = "version${number}", worker = .version${number})`))
  services.push('(name = "front", worker = .front)')
  workers.push(frontText(folder, worker, versions))
  return capnp.writeConfig(folder, { services, sockets: SOCKETS, workers })
}

/** @param {string} folder @param {string} worker @param {RunnableVersion[]} versions */
function frontText(folder, worker, versions) {
  const modules = [{ name: 'front.js', source: bundledFront() }]
  const services = versions.map(({ id }, number) => `(name = ${capnp.quote(id)}, service = "version${number}")`)
  const bindings = [capnp.textBinding('WORKER', worker), ...services]
  return capnp.workerText('front', { modules, bindings, compatibilityDate: FRONT_COMPATIBILITY_DATE }, folder)
}

/** @type {string | undefined} */
let front
/** The Worker in front as one module: it imports a package, and workerd has no node_modules. */
function bundledFront() {
  front ??= buildSync({ entryPoints: [FRONT], bundle: true, format: 'esm', write: false }).outputFiles[0].text
  return front
}

/**
 * The files have names of our own, as the names of modules come from an upload.
 *
 * @param {string} folder @param {string} name @param {{ version: RunnableVersion, vars: Vars }} options
 */
function versionText(folder, name, { version, vars }) {
  mkdirSync(path.join(folder, name))
  const modules = (version.modules ?? []).map((module, number) => ({ ...module, as: `${name}/${number}` }))
  const { compatibilityDate, compatibilityFlags } = version
  const config = { modules, bindings: bindings(version, vars), compatibilityDate, compatibilityFlags }
  return capnp.workerText(name, config, folder)
}

/** @param {RunnableVersion} version @param {Vars} vars */
const bindings = (version, vars) => [
  ...Object.entries(vars)
    .filter(([name]) => !version.bindings.some((own) => own.name === name))
    .map(([name, value]) => capnp.textBinding(name, value)),
  ...version.bindings.flatMap((binding) => BINDINGS[binding.type](binding, version)),
]

/** @param {RunnableVersion} version */
const metadata = ({ id, tag, created }) => ({ id, tag: tag ?? '', timestamp: created })

/**
 * The supported bindings, by their type in the API.
 *
 * @type {Record<string, (binding: Binding, version: RunnableVersion) => string[]>}
 */
export const BINDINGS = {
  kv_namespace: ({ name }) => [capnp.kvBinding(name)],
  version_metadata: ({ name }, version) => [capnp.jsonBinding(name, metadata(version))],
  plain_text: ({ name, text }) => [capnp.textBinding(name, text)],
  secret_text: ({ name, text }) => [capnp.textBinding(name, text)],
  json: ({ name, json }) => [capnp.jsonBinding(name, json)],
  // workerd has no data sets; the Worker runs without the binding.
  analytics_engine: () => [],
}

/**
 * The modules of a build: its JavaScript, the entry first, and its Wasm.
 *
 * @param {string} build the folder @param {string[]} names
 */
export function modulesOf(build, names) {
  const entryFirst = (/** @type {string} */ a, /** @type {string} */ b) =>
    Number(b === 'index.js') - Number(a === 'index.js')
  const known = names.filter((name) => /\.(js|wasm)$/.test(name)).sort(entryFirst)
  return known.map((name) => ({
    name,
    source: readFileSync(path.join(build, name)),
    kind: name.endsWith('.wasm') ? 'wasm' : 'esModule',
  }))
}
