// LaunchDarkly's and GrowthBook's SDKs, each in a Worker that serves the same components from the same
// KV service. Flags name contents by digest, as slots do; contents stay in memory in all of them.
import { deepEqual } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { builtModules } from '../../tests/worker/harness/config.mjs'
import { rawRequest } from '../../tests/worker/harness/request.mjs'
import { startWorker } from '../../tests/worker/harness/workerd.mjs'
import { fillFlags, SCRIPT_VERSION } from './data.mjs'
import { nameIn, ownHeaders, recordArms } from './record.mjs'
import { medianCpu, medianRatio, rounds } from './rounds.mjs'

const PEERS = { launchdarkly: 0.9, growthbook: 1 }
const COUNTS = [1, 20, 200]
const KINDS = ['sole', 'split']

const source = (name) => fileURLToPath(new URL(`../peers/${name}`, import.meta.url))

/** Installs the packages, with the digests of the lock file, into a folder and bundles each Worker. */
async function bundles(folder) {
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(source(name), path.join(folder, name))
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['ci', ...quiet], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  // esbuild comes with wrangler.
  const esbuild = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'))('esbuild')
  const bundled = async (name) => {
    const { outputFiles } = await esbuild.build({
      entryPoints: [source(`${name}.mjs`)],
      nodePaths: [path.join(folder, 'node_modules')],
      bundle: true,
      write: false,
      format: 'esm',
      conditions: ['workerd', 'worker', 'import'],
      external: ['node:*', 'events', 'crypto'],
      logLevel: 'error',
    })
    return /** @type {const} */ ([name, outputFiles[0].text])
  }
  return Object.fromEntries(await Promise.all(Object.keys(PEERS).map(bundled)))
}

/** The name of the Worker that sends our headers and writes our log lines for a peer. */
const alike = (peer) => `${peer}, our headers and log line`

/** Starts our Worker and two for each peer: one as it is, one with our headers and log lines. */
async function start(sources, workers) {
  const add = async (name, options) => {
    workers[name] = await startWorker({ scriptVersion: SCRIPT_VERSION, ...options })
    workers[name].sole = fillFlags(workers[name].kv, COUNTS)
  }
  await add('ours', { modules: builtModules() })
  const ANSWERS = await recordArms(workers.ours, Object.values(REQUESTS))
  for (const [name, source] of Object.entries(sources)) {
    const options = { modules: [{ name: `${name}.mjs`, source }], compatibilityFlags: ['nodejs_compat'] }
    await add(name, options)
    await add(alike(name), { ...options, vars: { ANSWERS } })
    workers[alike(name)].recorded = ANSWERS
  }
}

const load = (kind, count) => `${kind} ${count}`

const REQUESTS = Object.fromEntries(
  COUNTS.flatMap((count) =>
    KINDS.map((kind) => [
      load(kind, count),
      {
        path: `/components/prompts/${kind}-${count}-0@production`,
        headers: (at) => ({ 'component-version-key': `caller-${at}` }),
        status: 200,
      },
    ]),
  ),
)

/**
 * Checks that all Workers serve the same bytes for a sole version, and every version of a split, and that
 * headers are ours if they should be.
 */
async function compare(workers) {
  for (const [name, { url, sole, recorded }] of Object.entries(workers)) {
    for (const [what, { path, headers: of }] of Object.entries(REQUESTS)) {
      const seen = new Set()
      for (let at = 0; at < 100; at += 1) {
        const { status, headers, text } = await rawRequest(url, { path, headers: of(at) })
        if (status !== 200) throw new Error(`${name}: ${path}: ${status} ${text()}`)
        if (recorded) deepEqual(ownHeaders(headers), recorded[`${nameIn(path)} ${JSON.parse(headers.etag)}`].headers)
        seen.add(text())
      }
      const right = what.startsWith('sole') ? seen.size === 1 && seen.has(sole) : seen.size === 3
      if (!right) throw new Error(`${name} answers ${path} in ${seen.size} ways`)
    }
  }
}

async function run(sources, settings) {
  const workers = {}
  try {
    await start(sources, workers)
    await compare(workers)
    const measured = Object.keys(REQUESTS).flatMap((what) => Object.keys(workers).map((name) => [name, what]))
    return await rounds(workers, REQUESTS, measured, settings)
  } finally {
    await Promise.all(Object.values(workers).map((worker) => worker.stop()))
  }
}

/**
 * Measures `[{ kind, count, isAlike, cpu: { ours, launchdarkly, growthbook }, ratios, limits }]`, or an empty list
 * if npm cannot install the packages. `isAlike`: the peers send our headers and write our log lines.
 */
export async function measurePeers({ processes, ...settings }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-peers-'))
  try {
    const sources = await bundles(folder).catch((error) => {
      if (error.status === undefined) throw error
    })
    if (!sources) return []
    const results = []
    for (let at = 0; at < processes; at += 1) results.push(...(await run(sources, settings)))
    return COUNTS.flatMap((count) =>
      KINDS.flatMap((kind) => [false, true].map((isAlike) => compared(results, kind, count, isAlike))),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compared(results, kind, count, isAlike) {
  const of = (name) => [isAlike && name !== 'ours' ? alike(name) : name, load(kind, count)]
  const each = (names, value) => Object.fromEntries(names.map((name) => [name, value(name)]))
  const names = Object.keys(PEERS)
  return {
    kind,
    count,
    isAlike,
    cpu: each(['ours', ...names], (name) => medianCpu(results, of(name))),
    ratios: each(names, (name) => medianRatio(results, of('ours'), of(name))),
    // GrowthBook with one component does less: it answers without headers and without a log line.
    limits: { launchdarkly: PEERS.launchdarkly, growthbook: count > 1 || isAlike ? PEERS.growthbook : undefined },
  }
}
