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
