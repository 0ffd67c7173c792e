import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { NAMESPACE_HEADER } from './kv-server.mjs'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const BUILD = path.join(ROOT, 'build')
const ENTRY = 'index.js'

/** The built Worker: its entry and the Wasm that this imports. */
export function builtModules() {
  const names = readdirSync(BUILD, { withFileTypes: true })
    .filter((file) => file.isFile() && (file.name === ENTRY || file.name.endsWith('.wasm')))
    .map((file) => file.name)
  if (!names.includes(ENTRY)) throw new Error('build/index.js is missing: run `npm run build` first.')
  return names.map((name) => ({ name, file: path.join(BUILD, name) }))
}

/** The date that the Worker is deployed with. */
const compatibilityDate = () =>
  /^compatibility_date = "([^"]+)"/m.exec(readFileSync(path.join(ROOT, 'wrangler.toml'), 'utf8'))[1]

/** Text in Cap'n Proto's notation, which knows no `\u`. */
const quote = (text) =>
  JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_, hex) => `\\x${hex}`)

/** A module as Cap'n Proto embeds it: a copy beside the configuration. */
function moduleText({ name, file, source }, folder) {
  const copy = path.join(folder, name)
  if (file) copyFileSync(file, copy)
  else writeFileSync(copy, source)
  const kind = name.endsWith('.wasm') ? 'wasm' : 'esModule'
  return `(name = ${quote(name)}, ${kind} = embed ${quote(name)})`
}

const kvService = (name, address) =>
  `(name = ${quote(`kv:${name}`)}, external = (address = ${quote(address)}, http = (
      injectRequestHeaders = [(name = ${quote(NAMESPACE_HEADER)}, value = ${quote(name)})])))`

function bindingTexts({ kv, vars, scriptVersion }) {
  const texts = kv.store.names().map((name) => `(name = ${quote(name)}, kvNamespace = ${quote(`kv:${name}`)})`)
  for (const [name, value] of Object.entries(vars)) {
    texts.push(`(name = ${quote(name)}, text = ${quote(String(value))})`)
  }
  if (scriptVersion) {
    texts.push(`(name = "CF_VERSION_METADATA", json = ${quote(JSON.stringify(scriptVersion))})`)
  }
  return texts
}

const list = (texts) => `[\n    ${texts.join(',\n    ')}]`

/** A Worker with its modules and bindings. */
const workerText = (name, modules, bindings, compatibilityFlags, folder) => `
const ${name} :Workerd.Worker = (
  modules = ${list(modules.map((module) => moduleText(module, folder)))},
  bindings = ${list(bindings)},
  compatibilityDate = ${quote(compatibilityDate())},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(', ')}],
);
`

/** The namespaces of the KV server, and the Worker under test as a service, whose names go first. */
const callerBindings = ({ kv }, services) => [
  ...kv.store.names().filter((name) => !services.includes(name)).map((name) => `(name = ${quote(name)}, kvNamespace = ${quote(`kv:${name}`)})`),
  ...services.map((name) => `(name = ${quote(name)}, service = "main")`),
]

/** Writes the configuration of one Worker, its caller if there is one, and their modules; gives its path. */
export function writeConfig(folder, options) {
  const { kv, modules, caller, compatibilityFlags, v8Flags = [] } = options
  const workers = ['(name = "main", worker = .worker)', ...(caller ? ['(name = "caller", worker = .caller)'] : [])]
  const services = kv.store.names().map((name) => kvService(name, kv.address))
  const text = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list([...workers, ...services])},
  v8Flags = [${v8Flags.map(quote).join(', ')}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "${caller ? 'caller' : 'main'}")],
);
${workerText('worker', modules, bindingTexts(options), compatibilityFlags, folder)}${
    caller ? workerText('caller', caller.modules, callerBindings(options, caller.services), [], folder) : ''
  }`
  const file = path.join(folder, 'config.capnp')
  writeFileSync(file, text)
  return file
}
