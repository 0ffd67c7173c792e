import { createHash } from 'node:crypto'

import { builtModules } from '../../worker/harness/config.mjs'
import { startKvServer } from '../../worker/harness/kv-server.mjs'
import { startWorker } from '../../worker/harness/workerd.mjs'
import { put } from '../../worker/vectors.mjs'

/** The two versions of the Worker, which serve side by side. */
export const SCRIPTS = {
  old: { id: '5c0b1d3e-0000-4000-8000-000000000001', tag: 'v0.1.0' },
  new: { id: '9a7f2c44-0000-4000-8000-000000000002', tag: 'v0.2.0' },
}

// Two components; a fifth of their callers get v1.1.0. Each request names its version, so that the
// numbers are always the same.
const extraction = (version) => ['prompts/extraction', version]
const summary = (version) => ['prompts/summary', version]

/** The requests to each version of the Worker: `[times, component and version, failing namespace]`. */
const ASKED = {
  old: [
    [64, extraction('v1.0.0')],
    [16, extraction('v1.1.0')],
    [8, summary('v1.0.0')],
    [2, summary('v1.1.0')],
  ],
  // At first COMPONENTS does not answer, in the end SLOTS.
  new: [
    [2, extraction('v1.0.0'), 'COMPONENTS'],
    [1, extraction('v1.1.0'), 'COMPONENTS'],
    [13, extraction('v1.0.0')],
    [2, extraction('v1.1.0')],
    [2, summary('v1.0.0')],
    [1, summary('v1.1.0')],
    [1, extraction('v1.0.0'), 'SLOTS'],
    [1, extraction('v1.1.0'), 'SLOTS'],
  ],
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

/** The records and contents of a component; `damaged` is the version with a wrong content. */
function component(name, damaged) {
  const versions = ['v1.1.0', 'v1.0.0']
  const contents = versions.map((version) => `${name} ${version}\n`)
  const targets = versions.map((version, at) => ({
    slot: at === 0 ? 'canary' : 'production',
    version,
    digest: sha256(contents[at]),
    size: contents[at].length,
    type: 'text/markdown',
    sha: sha256(version).slice(0, 40),
    date: '2026-11-20T09:00:00Z',
    weight: at === 0 ? 20_000 : 80_000,
  }))
  const held = versions.map((version, at) => [
    `sha256/${sha256(contents[at])}`,
    version === damaged ? 'something else' : contents[at],
  ])
  return {
    SLOTS: { [`${name}@production`]: { format: 1, slot: 'production', targets } },
    COMPONENTS: Object.fromEntries(held),
  }
}

// Analytics Engine does not run locally: this binding prints its data points.
const ENTRY = {
  name: 'entry.mjs',
  source: `import Resolver from './index.js'
export default class extends Resolver {
  constructor(context, env) {
    super(context, { ...env, ANALYTICS: { writeDataPoint: (point) => console.log('POINT' + JSON.stringify(point)) } })
  }
}
`,
}

/** Sends requests to one version of the Worker; resolves to its log lines and data points, in order. */
async function ask(kv, which) {
  const scriptVersion = { ...SCRIPTS[which], timestamp: '2026-11-20T09:30:00Z' }
  const worker = await startWorker({
    kv,
    modules: [ENTRY, ...builtModules()],
    scriptVersion,
    vars: { KV_TIMEOUT_MS: '500' },
  })
  try {
    let count = 0
    for (const [times, [name, version], failing] of ASKED[which]) {
      if (failing) kv.fail({ status: 500 }, { namespace: failing })
      for (let at = 0; at < times; at += 1, count += 1) {
        await worker.fetch(`/components/${name}@production`, { headers: { 'Component-Version-Override': version } })
      }
      kv.heal()
    }
    return await said(worker, count)
  } finally {
    await worker.stop()
  }
}

/** Waits for `count` log lines and data points. */
async function said(worker, count) {
  const deadline = Date.now() + 5_000
  while (true) {
    const lines = worker.output.split('\n')
    const logs = lines.filter((line) => line.startsWith('{'))
    const points = lines.filter((line) => line.startsWith('POINT')).map((line) => JSON.parse(line.slice(5)))
    if (logs.length === count && points.length === count) return logs.map((log, at) => ({ log, point: points[at] }))
    if (Date.now() > deadline)
      throw new Error(`${logs.length} lines and ${points.length} points of ${count}\n${worker.output}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/**
 * The requests of an hour to both versions, minute by minute: `{ script, at, log, point, wallMs, cpuMs }`,
 * `at` in milliseconds since 1970. The Worker wrote `log` and `point`. The times, which Cloudflare
 * measures, are invented: 5 to 14 ms, twice as long for the new version, and once 250 ms.
 */
export async function sampleTraffic() {
  const kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map() })
  for (const records of [component('prompts/extraction'), component('prompts/summary', 'v1.1.0')]) put(kv, records)
  try {
    const requests = []
    for (const [which, script] of Object.entries(SCRIPTS)) {
      for (const [number, { log, point }] of (await ask(kv, which)).entries()) {
        const usual = (5 + (number % 10)) * (which === 'new' ? 2 : 1)
        const wallMs = which === 'new' && number === 0 ? 250 : usual
        requests.push({ script, at: BEGIN + (number % 60) * 60_000, log, point, wallMs, cpuMs: 1 + (number % 3) })
      }
    }
    return requests
  } finally {
    await kv.stop()
  }
}

export const BEGIN = Date.parse('2026-11-20T10:00:00Z')
export const END = Date.parse('2026-11-20T11:00:00Z')
