// Writes configurations of workerd, in Cap'n Proto's text notation.
import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * @typedef {object} Module a module of a Worker: a file, or a source text
 * @property {string} name
 * @property {string} [file]
 * @property {string | Uint8Array} [source]
 * @property {string} [kind] `esModule` or `wasm` by default, depending on the name
 * @property {string} [as] the name of the copy in the configuration's folder
 */

/**
 * @typedef {object} WorkerConfig
 * @property {Module[]} modules the entry first
 * @property {string[]} bindings
 * @property {string} compatibilityDate
 * @property {string[]} [compatibilityFlags]
 */

/**
 * @typedef {object} Config
 * @property {string[]} services
 * @property {Record<string, string>} sockets for each name the service that answers
 * @property {string[]} workers from `workerText`
 * @property {string[]} [v8Flags]
 */

/** The header that names the namespace in requests to a KV server. */
export const NAMESPACE_HEADER = 'x-kv-namespace'

/** A Cap'n Proto string, which has no `\u` escapes. @param {string} text */
export const quote = (text) => JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_, hex) => `\\x${hex}`)

/** @param {string[]} texts */
export const list = (texts) => `[\n    ${texts.join(',\n    ')}]`

/** @param {Module} module @param {string} folder */
function moduleText(module, folder) {
  const { name, file, source = '', as = name } = module
  const kind = module.kind ?? (name.endsWith('.wasm') ? 'wasm' : 'esModule')
  const copy = path.join(folder, as)
  if (file) copyFileSync(file, copy)
  else writeFileSync(copy, source)
  return `(name = ${quote(name)}, ${kind} = embed ${quote(as)})`
}

/**
 * The service of a KV namespace, on a server that speaks workerd's KV protocol.
 *
 * @param {string} namespace @param {string} address
 */
export const kvService = (namespace, address) =>
  `(name = ${quote(`kv:${namespace}`)}, external = (address = ${quote(address)}, http = (
      injectRequestHeaders = [(name = ${quote(NAMESPACE_HEADER)}, value = ${quote(namespace)})])))`

/** @param {string} name @param {string} [namespace] */
export const kvBinding = (name, namespace = name) =>
  `(name = ${quote(name)}, kvNamespace = ${quote(`kv:${namespace}`)})`

/** @param {string} name @param {unknown} value */
export const textBinding = (name, value) => `(name = ${quote(name)}, text = ${quote(String(value))})`

/** @param {string} name @param {unknown} value */
export const jsonBinding = (name, value) => `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`

/**
 * A Worker as a constant of this name. Copies its modules to `folder`.
 *
 * @param {string} name @param {WorkerConfig} config @param {string} folder
 */
export const workerText = (name, { modules, bindings, compatibilityDate, compatibilityFlags = [] }, folder) => `
const ${name} :Workerd.Worker = (
  modules = ${list(modules.map((module) => moduleText(module, folder)))},
  bindings = ${list(bindings)},
  compatibilityDate = ${quote(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(', ')}],
);
`

/**
 * Writes a configuration to `folder`; returns its path.
 *
 * @param {string} folder @param {Config} config
 */
export function writeConfig(folder, { services, sockets, workers, v8Flags = [] }) {
  const listening = Object.entries(sockets).map(
    ([name, service]) => `(name = ${quote(name)}, address = "127.0.0.1:0", http = (), service = ${service})`,
  )
  const text = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list(services)},
  sockets = ${list(listening)},
  v8Flags = [${v8Flags.map(quote).join(', ')}],
);
${workers.join('')}`
  const file = path.join(folder, 'config.capnp')
  writeFileSync(file, text)
  return file
}
