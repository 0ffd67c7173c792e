// The contents of KV for the benchmarks, with the sizes that the tables name.
import { createHash } from 'node:crypto'

const SHA = 'dac23bda14820e5b79aa3328b0c5a597521fa03c'
const DATE = '2026-11-20T10:00:00Z'

/** The references of one ensemble run. */
export const ENSEMBLE = Array.from({ length: 20 }, (_, at) => `prompts/step-${at}@production`)

export const SCRIPT_VERSION = {
  id: '00000000-0000-4000-8000-000000000001',
  tag: 'v0.1.0',
  timestamp: '2026-11-20T00:00:00Z',
}

const put = (kv, namespace, key, value) => kv.put(namespace, key, Buffer.from(value))

function content(kv, text) {
  const digest = createHash('sha256').update(text).digest('hex')
  put(kv, 'COMPONENTS', `sha256/${digest}`, text)
  return { digest, size: Buffer.byteLength(text), type: 'text/markdown; charset=utf-8', sha: SHA, date: DATE }
}

const text = (name, size) => `# ${name}\n`.padEnd(size, 'Extract the fields of the document. ')

function slot(kv, name, arms) {
  const targets = arms.map(([slot, version, weight, snapshot]) => ({ slot, version, ...snapshot, weight }))
  put(kv, 'SLOTS', `${name}@production`, JSON.stringify({ format: 1, slot: 'production', targets }))
  for (const [, version, , snapshot] of arms) {
    const record = { format: 1, version, ...snapshot, author: 'Ada', path: `components/${name}.md` }
    put(kv, 'COMPONENTS', `${name}@${version}`, JSON.stringify(record))
  }
}

/** Fills the namespaces; returns the digest with which callers of the slot can revalidate. */
export function fill(kv) {
  const sole = (name, size) => {
    const snapshot = content(kv, text(name, size))
    slot(kv, name, [['production', 'v1.0.0', 100_000, snapshot]])
    return snapshot.digest
  }
  const digest = sole('prompts/extraction', 4_096)
  sole('prompts/large', 300_000)
  for (const ref of ENSEMBLE) sole(ref.split('@')[0], 4_096)
  slot(kv, 'prompts/split', [
    ['canary', 'v1.2.0', 5_000, content(kv, text('canary', 4_096))],
    ['beta', 'v1.1.0', 20_000, content(kv, text('beta', 4_096))],
    ['production', 'v1.0.0', 75_000, content(kv, text('stable', 4_096))],
  ])
  return digest
}

/** All that `fill` writes as `[key, text]`, for a stubbed KV. */
export function pairs() {
  const all = []
  fill({ put: (_, key, value) => all.push([key, value.toString()]) })
  return all
}

const ARMS = [
  ['canary', 'v1.2.0', 5_000],
  ['beta', 'v1.1.0', 20_000],
  ['production', 'v1.0.0', 75_000],
]

/** A flag of LaunchDarkly that chooses by the key of the caller. */
const launchDarkly = (key, arms) => ({
  key,
  version: 1,
  on: true,
  salt: key,
  variations: arms.map(([, version, , { digest, type }]) => ({ version, digest, type })),
  offVariation: 0,
  fallthrough:
    arms.length === 1
      ? { variation: 0 }
      : {
          rollout: { contextKind: 'user', variations: arms.map(([, , weight], variation) => ({ variation, weight })) },
        },
  prerequisites: [],
  targets: [],
  rules: [],
})

/** A feature of GrowthBook that chooses by the key of the caller. */
function growthBook(key, arms) {
  const variations = arms.map(([, version, , { digest, type }]) => ({ version, digest, type }))
  if (arms.length === 1) return { defaultValue: variations[0] }
  const weights = arms.map(([, , weight]) => weight / 100_000)
  const rule = { key, seed: key, hashAttribute: 'id', hashVersion: 2, coverage: 1, weights, variations }
  return { defaultValue: variations[0], rules: [rule] }
}

/**
 * Fills the namespaces with as many components as each count says, sole and split, for us and for the
 * flag services: `prompts/sole-20-0`. Returns the content of the sole ones.
 */
export function fillFlags(kv, counts) {
  const contents = ARMS.map(([name]) => content(kv, text(name, 4_096)))
  const split = ARMS.map((arm, at) => [...arm, contents[at]])
  const sole = [['production', 'v1.0.0', 100_000, contents[2]]]
  for (const count of counts) {
    for (const [kind, arms] of Object.entries({ sole, split })) {
      const names = Array.from({ length: count }, (_, at) => `prompts/${kind}-${count}-${at}`)
      for (const name of names) slot(kv, name, arms)
      const flags = Object.fromEntries(names.map((name) => [name, launchDarkly(name, arms)]))
      put(kv, 'SLOTS', `LD-Env-${kind}-${count}`, JSON.stringify({ flags, segments: {} }))
      const features = Object.fromEntries(names.map((name) => [name, growthBook(name, arms)]))
      put(kv, 'SLOTS', `growthbook/${kind}-${count}`, JSON.stringify({ features }))
    }
  }
  return text('production', 4_096)
}
