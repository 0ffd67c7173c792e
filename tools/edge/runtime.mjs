import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildSync } from 'esbuild'

import * as capnp from '../workerd/capnp.mjs'
import { Workerd } from '../workerd/process.mjs'

const FRONT = fileURLToPath(new URL('front.js', import.meta.url))
// Of the Worker in front alone; each version has its own.
const FRONT_COMPATIBILITY_DATE = '2026-10-01'
const SOCKETS = { http: '"front"', control: '(name = "front", entrypoint = "Control")' }

/**
 * One workerd with the Worker in front and the versions behind it:
 * `{ has(id), url, tell(state), ended, stop() }`. It throws, with what workerd said, where a version does not start.
 */
export async function startRuntime({ worker, versions, kv, vars }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-edge-'))
  try {
    const workerd = new Workerd(writeConfig(folder, { worker, versions, kv, vars }))
    const urls = await workerd.started(Object.keys(SOCKETS))
    const ids = new Set(versions.map(({ id }) => id))
    return {
      url: urls.http,
      ended: workerd.ended,
      has: (id) => ids.has(id),
      tell: (state) => tell(urls.control, state),
      stop: () => workerd.stop(),
    }
  } finally {
    // Once it listens, workerd has read all of it.
    rmSync(folder, { recursive: true, force: true })
  }
}

async function tell(url, state) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(state) })
  if (!answer.ok) throw new Error(`the Worker in front took no deployment: ${answer.status}`)
}

function writeConfig(folder, { worker, versions, kv, vars }) {
  const services = kv.namespaces.map((name) => capnp.kvService(name, kv.address))
  const workers = versions.map((version, number) => versionText(folder, `version${number}`, { version, vars }))
  services.push(...versions.map((_, number) => `(name = "version${number}", worker = .version${number})`))
  services.push('(name = "front", worker = .front)')
  workers.push(frontText(folder, worker, versions))
  return capnp.writeConfig(folder, { services, sockets: SOCKETS, workers })
}

function frontText(folder, worker, versions) {
  const modules = [{ name: 'front.js', source: bundledFront() }]
  const services = versions.map(({ id }, number) => `(name = ${capnp.quote(id)}, service = "version${number}")`)
  const bindings = [capnp.textBinding('WORKER', worker), ...services]
  return capnp.workerText('front', { modules, bindings, compatibilityDate: FRONT_COMPATIBILITY_DATE }, folder)
}

let front
/** The Worker in front as one module: it imports a package, and workerd has no node_modules. */
function bundledFront() {
  front ??= buildSync({ entryPoints: [FRONT], bundle: true, format: 'esm', write: false }).outputFiles[0].text
  return front
}

/** Names of modules come from an upload: what is written to has names of our own. */
function versionText(folder, name, { version, vars }) {
  mkdirSync(path.join(folder, name))
  const modules = version.modules.map((module, number) => ({ ...module, as: `${name}/${number}` }))
  const { compatibilityDate, compatibilityFlags } = version
  return capnp.workerText(
    name,
    { modules, bindings: bindings(version, vars), compatibilityDate, compatibilityFlags },
    folder,
  )
}

const bindings = (version, vars) => [
  ...Object.entries(vars)
    .filter(([name]) => !version.bindings.some((own) => own.name === name))
    .map(([name, value]) => capnp.textBinding(name, value)),
  ...version.bindings.flatMap((binding) => BINDINGS[binding.type](binding, version)),
]

const metadata = ({ id, tag, created }) => ({ id, tag: tag ?? '', timestamp: created })

/** What the edge can bind, by the type that the API gives it. */
export const BINDINGS = {
  kv_namespace: ({ name }) => [capnp.kvBinding(name)],
  version_metadata: ({ name }, version) => [capnp.jsonBinding(name, metadata(version))],
  plain_text: ({ name, text }) => [capnp.textBinding(name, text)],
  secret_text: ({ name, text }) => [capnp.textBinding(name, text)],
  json: ({ name, json }) => [capnp.jsonBinding(name, json)],
  // workerd has no data set to write to; the Worker does without.
  analytics_engine: () => [],
}

/** The modules of a build: its JavaScript, the entry first, and its Wasm. */
export function modulesOf(build, names) {
  const known = names
    .filter((name) => /\.(js|wasm)$/.test(name))
    .sort((a, b) => (b === 'index.js') - (a === 'index.js'))
  return known.map((name) => ({
    name,
    source: readFileSync(path.join(build, name)),
    kind: name.endsWith('.wasm') ? 'wasm' : 'esModule',
  }))
}
