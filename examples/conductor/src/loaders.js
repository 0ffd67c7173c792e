// Reads components as the Conductor runtime does, with the same keys and the same methods.
// The code is the same for a KV namespace and for the resolver.

const PLURALS = { query: 'queries', docs: 'docs' }
const plural = (type) => PLURALS[type] ?? `${type}s`

function found(content, what, keys) {
  if (content !== null) return content
  throw new Error(`Component not found: ${what} (${keys.join(', ')})`)
}

/** Reads `prompt://extraction@production` as the ComponentLoader does. The version defaults to `latest`. */
export async function fromUri(kv, uri) {
  const [, protocol, path, version = 'latest'] = /^(\w+):\/\/([^@]+)(?:@(.+))?$/.exec(uri) ?? []
  if (!protocol) throw new Error(`Invalid component URI: ${uri}`)
  const key = `${plural(protocol)}/${path}@${version}`
  return found(await kv.get(key, 'text'), uri, [key])
}

/** Lists versions and slots as the ComponentLoader does. */
export async function listed(kv, type, path) {
  const { keys } = await kv.list({ prefix: `${plural(type)}/${path}@` })
  return keys.map(({ name }) => name.slice(name.lastIndexOf('@') + 1))
}

/** Reads `extraction@production` of a type and its metadata as the SDK does. */
export async function fromSdk(kv, reference, type = 'prompt') {
  const [name, version] = reference.split('@')
  const key = `${plural(type)}/${name}/${version}`
  const { value, metadata } = await kv.getWithMetadata(key)
  return { content: found(value, reference, [key]), metadata }
}

/** Reads the list of versions from `_versions` as the SDK does. */
export const versions = async (kv, name, type = 'prompt') =>
  JSON.parse(found(await kv.get(`${plural(type)}/${name}/_versions`), name, []))

/** Reads a value of an ensemble as the value resolver does: first from `EDGIT`, then from `COMPONENTS`. */
export async function fromValue(env, value) {
  const [path, version = 'latest'] = value.split('@')
  const places = [
    [env.EDGIT, `components/${path}/${version}`],
    [env.COMPONENTS, `${path}/${version}`],
  ]
  for (const [kv, key] of places) {
    const content = await kv?.get(key)
    if (content) return content
  }
  throw new Error(`Component not found: ${value} (${places.map(([, key]) => key).join(', ')})`)
}
