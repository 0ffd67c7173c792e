import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { fingerprint } from './fingerprint.mjs'
import { esbuild, wasmOpt } from './node-tools.mjs'
import { CARGO_HOME, inRoot, SEARCH_PATH } from './paths.mjs'
import { capture, run } from './run.mjs'
import { WASM_TARGET } from './rust.mjs'
import { duration, say, UserError } from './talk.mjs'

const STAMP = inRoot('build', '.inputs')
const STAGE = inRoot('build', '.stage')
const INPUTS = [
  'src',
  'crates/catalog',
  'Cargo.toml',
  'Cargo.lock',
  'package-lock.json',
  'scripts/lib/build.mjs',
  'scripts/lib/wasm-ld.mjs',
]

/** What is deployed: the entry and the Wasm that it imports. */
export const WORKER_OUTPUTS = ['index.js', 'index_bg.wasm']

export const SLOTCTL = inRoot('target', 'release', process.platform === 'win32' ? 'slotctl.exe' : 'slotctl')

function workerIsCurrent(inputs) {
  const there = WORKER_OUTPUTS.every((name) => existsSync(inRoot('build', name)))
  return there && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === inputs
}

/** The Worker, to `build/`; nothing where no input changed since the last time. */
export async function buildWorker(tools) {
  const inputs = fingerprint(INPUTS, [capture('rustc', ['--version'])])
  if (workerIsCurrent(inputs)) return
  const started = Date.now()
  say('Building the Worker (the first time about a minute) ...')
  rmSync(STAMP, { force: true })
  rmSync(STAGE, { recursive: true, force: true })
  mkdirSync(STAGE, { recursive: true })
  await compile()
  await bind(tools.wasmBindgen.cli)
  await bundle()
  await optimise()
  rmSync(STAGE, { recursive: true })
  writeFileSync(STAMP, inputs)
  say(`The Worker is in build/ (${duration(started)}).`)
}

/**
 * SHA-256 in a third of the code: here it is of a token or a page of the catalog, never
 * of a content. And no path of this machine in the Wasm, which keeps those of panics.
 */
function rustFlags() {
  const sources = path.join(CARGO_HOME, 'registry', 'src')
  const registries = existsSync(sources) ? readdirSync(sources).map((name) => path.join(sources, name)) : []
  const remapped = [...registries, inRoot()].map((from) => `--remap-path-prefix=${from}${path.sep}=`)
  return ['--cfg', 'sha2_backend_soft="compact"', ...remapped]
}

async function compile() {
  // The remapping needs to know where the sources are, so they are there first.
  await run('cargo', ['fetch', '--quiet', '--target', WASM_TARGET])
  const env = { CARGO_TARGET_DIR: inRoot('target'), CARGO_ENCODED_RUSTFLAGS: rustFlags().join('\x1f'), ...linker() }
  return run('cargo', ['build', '--lib', '--profile', 'worker', '--target', WASM_TARGET], { env })
}

/** The linker and the Node that runs it; on Windows no script can be one, and the Wasm is a little larger. */
function linker() {
  if (process.platform === 'win32') return {}
  const PATH = [SEARCH_PATH, path.dirname(process.execPath)].join(path.delimiter)
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: inRoot('scripts', 'lib', 'wasm-ld.mjs'), PATH }
}

/**
 * The Wasm and its JavaScript side. The two flags are wasm-bindgen's way back from a
 * trap, which the `worker` crate turns on: the next call gets a new instance.
 */
async function bind(cli) {
  const compiled = inRoot('target', WASM_TARGET, 'worker', 'component_resolver.wasm')
  const recovery = ['--experimental-reset-state-function', '--force-enable-abort-handler']
  const shape = ['--target', 'module', '--no-typescript', '--out-name', 'index', '--out-dir', STAGE]
  await run(cli, [compiled, ...shape, ...recovery], { name: 'wasm-bindgen' })
  // The runtime hands out the module itself; it does not know the source phase yet.
  const bindings = path.join(STAGE, 'index.js')
  const text = readFileSync(bindings, 'utf8')
  const imported = text.replace('import source wasmModule from', 'import wasmModule from')
  if (imported === text) throw new UserError('wasm-bindgen imports the Wasm in another way than expected.')
  writeFileSync(bindings, imported)
}

/** What the runtimes of the last years know, and no newer proposal. */
const WASM_FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'exception-handling',
  'extended-const',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
]

/**
 * Smaller: without the names of functions. Of functions with one caller only the small
 * move into it, and those of like names stand together, which compresses better by a tenth.
 * Up to 28 bytes that is the smallest upload; up to 60 V8 has a sixth fewer functions to
 * compile for the first answer.
 */
function optimise() {
  const wasm = path.join(STAGE, 'index_bg.wasm')
  const options = [
    ...WASM_FEATURES.map((name) => `--enable-${name}`),
    // Twice: the second time finds a two hundredth more.
    ...['--reorder-functions-by-name', '-Oz', '-Oz', '-ocimfs', '60'],
    ...['--strip-debug', '--strip-producers'],
  ]
  return run(wasmOpt(), [...options, wasm, '-o', inRoot('build', 'index_bg.wasm')], { name: 'wasm-opt' })
}

function bundle() {
  const external = ['--external:./index_bg.wasm', '--external:cloudflare:*']
  const output = ['--bundle', '--minify', '--format=esm', `--outfile=${inRoot('build', 'index.js')}`]
  const bindings = `--alias:component-resolver=${path.join(STAGE, 'index.js')}`
  // Without these, esbuild keeps every class of the `worker` crate for its side effects.
  const unused = ['--define:Symbol.dispose=undefined', '--define:FinalizationRegistry=undefined']
  const options = [...external, ...output, bindings, ...unused, '--log-level=warning']
  return run(esbuild(), [inRoot('src', 'runtime', 'entry.js'), ...options], { name: 'esbuild' })
}

/** The CLI, to `target/release/slotctl`. */
export async function buildSlotctl() {
  const started = Date.now()
  const first = !existsSync(SLOTCTL)
  if (first) say('Building slotctl (the first time about two minutes) ...')
  await run('cargo', ['build', '--release', '-p', 'slotctl', ...(first ? [] : ['--quiet'])], {
    env: { CARGO_TARGET_DIR: inRoot('target') },
  })
  if (first) say(`slotctl is in target/release/ (${duration(started)}).`)
}
