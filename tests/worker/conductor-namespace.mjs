// Creates a KV namespace in Conductor's layout from the catalog records of the vectors: an independent
// implementation of `catalog::conductor`.

/** The names of the types in Conductor's SDK. */
const SINGULAR = { queries: 'query' }

const singular = (kind) => SINGULAR[kind] ?? kind.replace(/s$/, '')

function metadataOf(name, { sha, date, version, digest }, author) {
  return { sha, date, author, type: singular(name.split('/')[0]), version, digest }
}

/** All references of a component: `[ref, digest, metadata]`. */
function references(name, { versions, slots }) {
  const live = versions.filter(({ revoked }) => !revoked)
  const authors = new Map(versions.map(({ version, author }) => [version, author]))
  const held = live.map((one) => [one.version, one.digest, metadataOf(name, one, one.author)])
  for (const [slot, { record }] of Object.entries(slots)) {
    const { slot: arm, ...target } = record.targets.find(({ weight }) => weight === 100_000)
    const metadata = { ...metadataOf(name, target, authors.get(target.version)), slot: arm, assignment: 'sole' }
    held.push([slot, target.digest, metadata])
  }
  return held
}

/** A Map for KvServer, from the catalogs and contents of COMPONENTS. */
export function conductorNamespace(names, read) {
  const namespace = new Map()
  for (const name of names) {
    const catalog = JSON.parse(read(name))
    for (const [ref, digest, metadata] of references(name, catalog)) {
      const entry = { value: read(`sha256/${digest}`), metadata }
      for (const key of [`${name}@${ref}`, `${name}/${ref}`, `components/${name}/${ref}`]) namespace.set(key, entry)
    }
    const versions = catalog.versions.filter(({ revoked, version }) => !revoked && version.startsWith('v'))
    const index = JSON.stringify(versions.map(({ version }) => version))
    for (const key of [`${name}/_versions`, `components/${name}/_versions`]) namespace.set(key, index)
  }
  return namespace
}
