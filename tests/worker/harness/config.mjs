import { readdirSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from '../../../scripts/lib/paths.mjs'
import { compatibilityDate } from '../../../scripts/lib/wrangler-config.mjs'
import * as capnp from '../../../tools/workerd/capnp.mjs'

const BUILD = inRoot('build')
const ENTRY = 'index.js'

/** The modules of the built Worker: its entry and the Wasm that it imports. */
export function builtModules(build = BUILD) {
  const names = readdirSync(build, { withFileTypes: true })
    .filter((file) => file.isFile() && (file.name === ENTRY || file.name.endsWith('.wasm')))
    .map((file) => file.name)
  if (!names.includes(ENTRY)) throw new Error(`${build}/index.js is missing: run \`npm run build\` first.`)
  return names.map((name) => ({ name, file: path.join(build, name) }))
}

/** A variable: a text, or a value of another type as wrangler passes it on. */
const variable = ([name, value]) =>
  typeof value === 'string' ? capnp.textBinding(name, value) : capnp.jsonBinding(name, value)

function bindingTexts({ kv, vars, scriptVersion, bindings = [] }) {
  const texts = kv.store.names().map((name) => capnp.kvBinding(name))
  texts.push(...Object.entries(vars).map(variable), ...bindings)
  if (scriptVersion) texts.push(capnp.jsonBinding('CF_VERSION_METADATA', scriptVersion))
  return texts
}

/** The namespaces of the KV server, and the Worker under test as services, whose names take precedence. */
const callerBindings = ({ kv }, services) => [
  ...kv.store
    .names()
    .filter((name) => !services.includes(name))
    .map((name) => capnp.kvBinding(name)),
  ...services.map((name) => `(name = ${capnp.quote(name)}, service = "main")`),
]

/** Writes the configuration of a Worker and of its optional caller, with their modules; returns its path. */
export function writeConfig(folder, options) {
  const { kv, modules, caller, compatibilityFlags, v8Flags } = options
  const bindings = bindingTexts(options)
  const date = { compatibilityDate: compatibilityDate() }
  const services = ['(name = "main", worker = .worker)']
  const workers = [capnp.workerText('worker', { modules, bindings, compatibilityFlags, ...date }, folder)]
  if (caller) {
    services.push('(name = "caller", worker = .caller)')
    const callers = { modules: caller.modules, bindings: callerBindings(options, caller.services), ...date }
    workers.push(capnp.workerText('caller', callers, folder))
  }
  for (const { name, ...worker } of options.services ?? []) {
    services.push(`(name = ${capnp.quote(name)}, worker = .${name})`)
    workers.push(capnp.workerText(name, { ...worker, ...date }, folder))
  }
  services.push(...kv.store.names().map((name) => capnp.kvService(name, kv.address)))
  return capnp.writeConfig(folder, { services, sockets: { http: caller ? '"caller"' : '"main"' }, workers, v8Flags })
}
