// Components as the Conductor runtime reads them: the same keys, the same methods,
// of whatever is bound. Nothing here knows that it is not a KV namespace.

const PLURALS = { query: 'queries', docs: 'docs' }
const plural = (type) => PLURALS[type] ?? `${type}s`

function found(content, what, keys) {
  if (content !== null) return content
  throw new Error(`Component not found: ${what} (${keys.join(', ')})`)
}

/** `prompt://extraction@production`, as the ComponentLoader has it; `latest` where it says no version. */
export async function fromUri(kv, uri) {
  const [, protocol, path, version = 'latest'] = /^(\w+):\/\/([^@]+)(?:@(.+))?$/.exec(uri) ?? []
  if (!protocol) throw new Error(`Invalid component URI: ${uri}`)
  const key = `${plural(protocol)}/${path}@${version}`
  return found(await kv.get(key, 'text'), uri, [key])
}

/** The versions and slots that the ComponentLoader lists. */
export async function listed(kv, type, path) {
  const { keys } = await kv.list({ prefix: `${plural(type)}/${path}@` })
  return keys.map(({ name }) => name.slice(name.lastIndexOf('@') + 1))
}

/** `extraction@production` of a type, as the SDK has it, with its metadata. */
export async function fromSdk(kv, reference, type = 'prompt') {
  const [name, version] = reference.split('@')
  const key = `${plural(type)}/${name}/${version}`
  const { value, metadata } = await kv.getWithMetadata(key)
  return { content: found(value, reference, [key]), metadata }
}

/** The versions that the SDK finds in its index. */
export const versions = async (kv, name, type = 'prompt') =>
  JSON.parse(found(await kv.get(`${plural(type)}/${name}/_versions`), name, []))

/** A value of an ensemble, as the value resolver takes it: `EDGIT` first, then `COMPONENTS`. */
export async function fromValue(env, value) {
  const [path, version = 'latest'] = value.split('@')
  const places = [[env.EDGIT, `components/${path}/${version}`], [env.COMPONENTS, `${path}/${version}`]]
  for (const [kv, key] of places) {
    const content = await kv?.get(key)
    if (content) return content
  }
  throw new Error(`Component not found: ${value} (${places.map(([, key]) => key).join(', ')})`)
}
