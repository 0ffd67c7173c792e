import { copyFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The header by which a KV server tells the namespaces of a Worker apart. */
export const NAMESPACE_HEADER = 'x-kv-namespace'

/** Text in Cap'n Proto's notation, which knows no `\u`. */
export const quote = (text) => JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_, hex) => `\\x${hex}`)

export const list = (texts) => `[\n    ${texts.join(',\n    ')}]`

const kindOf = (name) => (name.endsWith('.wasm') ? 'wasm' : 'esModule')

/**
 * A module as Cap'n Proto embeds it: a copy beside the configuration, under `as`
 * where its own name is not ours to write to.
 */
function moduleText({ name, file, source, kind = kindOf(name), as = name }, folder) {
  const copy = path.join(folder, as)
  if (file) copyFileSync(file, copy)
  else writeFileSync(copy, source)
  return `(name = ${quote(name)}, ${kind} = embed ${quote(as)})`
}

/** The service of one KV namespace, on a server that speaks to workerd as Workers KV does. */
export const kvService = (namespace, address) =>
  `(name = ${quote(`kv:${namespace}`)}, external = (address = ${quote(address)}, http = (
      injectRequestHeaders = [(name = ${quote(NAMESPACE_HEADER)}, value = ${quote(namespace)})])))`

export const kvBinding = (name, namespace = name) =>
  `(name = ${quote(name)}, kvNamespace = ${quote(`kv:${namespace}`)})`

export const textBinding = (name, value) => `(name = ${quote(name)}, text = ${quote(String(value))})`

export const jsonBinding = (name, value) => `(name = ${quote(name)}, json = ${quote(JSON.stringify(value))})`

/** A Worker with its modules, the entry first, and its bindings, as a constant of that name. */
export const workerText = (name, { modules, bindings, compatibilityDate, compatibilityFlags = [] }, folder) => `
const ${name} :Workerd.Worker = (
  modules = ${list(modules.map((module) => moduleText(module, folder)))},
  bindings = ${list(bindings)},
  compatibilityDate = ${quote(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(quote).join(', ')}],
);
`

/** Writes the configuration; gives its path. `sockets` are name → what serves it. */
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
