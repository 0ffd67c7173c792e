import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { duration, log, UserError } from './cli.mjs'
import { fingerprint } from './fingerprint.mjs'
import { esbuild, wasmOpt } from './node-tools.mjs'
import { CARGO_HOME, inRoot, SEARCH_PATH } from './paths.mjs'
import { capture, run } from './run.mjs'
import { WASM_TARGET } from './rust.mjs'

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

/** The files that are deployed: the entry and the Wasm that it imports. */
export const WORKER_OUTPUTS = ['index.js', 'index_bg.wasm']

export const SLOTCTL = inRoot('target', 'release', process.platform === 'win32' ? 'slotctl.exe' : 'slotctl')

/** @param {string} inputs the fingerprint of the sources */
function workerIsCurrent(inputs) {
  const complete = WORKER_OUTPUTS.every((name) => existsSync(inRoot('build', name)))
  return complete && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === inputs
}

/**
 * Builds the Worker into `build/`, unless no input has changed since the last build.
 *
 * @param {import('./tools.mjs').Tools} tools
 */
export async function buildWorker(tools) {
  const inputs = fingerprint(INPUTS, [capture('rustc', ['--version'])])
  if (workerIsCurrent(inputs)) return
  const started = Date.now()
  log('Building the Worker (about a minute the first time) ...')
  rmSync(STAMP, { force: true })
  rmSync(STAGE, { recursive: true, force: true })
  mkdirSync(STAGE, { recursive: true })
  await compile()
  await bind(tools.wasmBindgen.cli)
  await bundle()
  await optimise()
  rmSync(STAGE, { recursive: true })
  writeFileSync(STAMP, inputs)
  log(`The Worker is in build/ (${duration(started)}).`)
}

/**
 * The flags of rustc. SHA-256 takes a third of the code in its compact form, which is fast enough
 * for what Rust hashes here: a token or a page of the catalog, never a content. The remapping
 * removes this machine's paths from the Wasm, which contains those of panics.
 */
function rustFlags() {
  const sources = path.join(CARGO_HOME, 'registry', 'src')
  const registries = existsSync(sources) ? readdirSync(sources).map((name) => path.join(sources, name)) : []
  const remapped = [...registries, inRoot()].map((from) => `--remap-path-prefix=${from}${path.sep}=`)
  return ['--cfg', 'sha2_backend_soft="compact"', ...remapped]
}

async function compile() {
  // The remapping needs the sources of the crates, so they are fetched first.
  await run('cargo', ['fetch', '--quiet', '--target', WASM_TARGET])
  const env = { CARGO_TARGET_DIR: inRoot('target'), CARGO_ENCODED_RUSTFLAGS: rustFlags().join('\x1f'), ...linker() }
  return run('cargo', ['build', '--lib', '--profile', 'worker', '--target', WASM_TARGET], { env })
}

/**
 * The linker and the Node that runs it. On Windows a script cannot be a linker, and the Wasm is
 * slightly larger.
 *
 * @returns {Record<string, string>}
 */
function linker() {
  if (process.platform === 'win32') return {}
  const PATH = [SEARCH_PATH, path.dirname(process.execPath)].join(path.delimiter)
  return { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: inRoot('scripts', 'lib', 'wasm-ld.mjs'), PATH }
}

/**
 * Creates the Wasm's JavaScript bindings. The two recovery flags are those that the `worker` crate
 * uses: after a trap, the next call gets a new instance.
 *
 * @param {string} cli
 */
async function bind(cli) {
  const compiled = inRoot('target', WASM_TARGET, 'worker', 'component_resolver.wasm')
  const recovery = ['--experimental-reset-state-function', '--force-enable-abort-handler']
  const shape = ['--target', 'module', '--no-typescript', '--out-name', 'index', '--out-dir', STAGE]
  await run(cli, [compiled, ...shape, ...recovery], { name: 'wasm-bindgen' })
  // In the runtime, a plain import gives the module; it does not support source phase imports yet.
  const bindings = path.join(STAGE, 'index.js')
  const text = readFileSync(bindings, 'utf8')
  const imported = text.replace('import source wasmModule from', 'import wasmModule from')
  if (imported === text)
    throw new UserError(
      'wasm-bindgen imports the Wasm in an unexpected way: adapt scripts/lib/build.mjs to its version.',
    )
  writeFileSync(bindings, imported)
  shareSnippets()
}

/**
 * Lets the bindings import the files of `src/` themselves, not the copies that wasm-bindgen makes:
 * `src/runtime/entry.js` and Rust share the state of these modules.
 */
function shareSnippets() {
  const snippets = path.join(STAGE, 'snippets')
  for (const crate of readdirSync(snippets)) {
    const files = readdirSync(path.join(snippets, crate), { recursive: true, withFileTypes: true })
    for (const { parentPath, name } of files.filter((file) => file.isFile())) {
      const copy = path.join(parentPath, name)
      const source = inRoot(path.relative(path.join(snippets, crate), copy))
      const specifier = path.relative(parentPath, source).replaceAll(path.sep, '/')
      // Other crates have snippets too.
      if (existsSync(source)) writeFileSync(copy, `export * from '${specifier}'\n`)
    }
  }
}

/** The Wasm features that runtimes have supported for years. */
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
 * Makes the Wasm smaller and removes the names of functions. Functions with similar names are
 * placed side by side, which compresses better by a tenth. Of functions with one caller, only
 * small ones are inlined: a limit of 28 bytes gives the smallest upload, and one of 60 gives V8 a
 * sixth fewer functions to compile for the first answer.
 */
function optimise() {
  const wasm = path.join(STAGE, 'index_bg.wasm')
  const options = [
    ...WASM_FEATURES.map((name) => `--enable-${name}`),
    // The second -Oz saves another half a percent.
    ...['--reorder-functions-by-name', '-Oz', '-Oz', '-ocimfs', '60'],
    ...['--strip-debug', '--strip-producers'],
  ]
  return run(wasmOpt(), [...options, wasm, '-o', inRoot('build', 'index_bg.wasm')], { name: 'wasm-opt' })
}

function bundle() {
  const external = ['--external:./index_bg.wasm', '--external:cloudflare:*']
  const output = ['--bundle', '--minify', '--format=esm', `--outfile=${inRoot('build', 'index.js')}`]
  const bindings = `--alias:component-resolver=${path.join(STAGE, 'index.js')}`
  // Without these, esbuild keeps all classes of the `worker` crate because of their side effects.
  const unused = ['--define:Symbol.dispose=undefined', '--define:FinalizationRegistry=undefined']
  const options = [...external, ...output, bindings, ...unused, '--log-level=warning']
  return run(esbuild(), [inRoot('src', 'runtime', 'entry.js'), ...options], { name: 'esbuild' })
}

/**
 * Says from time to time that something still runs: Cargo prints nothing while it compiles one crate.
 *
 * @template T
 * @param {string} what @param {Promise<T>} work @param {number} [every] in milliseconds
 * @returns {Promise<T>}
 */
export async function announced(what, work, every = 10_000) {
  const started = Date.now()
  const timer = setInterval(() => log(`${what}: ${duration(started)} so far ...`), every)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

/** Builds the CLI, `target/release/slotctl`. */
export async function buildSlotctl() {
  const started = Date.now()
  const first = !existsSync(SLOTCTL)
  if (first) log('Building slotctl (about two minutes the first time) ...')
  const args = ['build', '--release', '-p', 'slotctl', ...(first ? [] : ['--quiet'])]
  await announced('Building slotctl', run('cargo', args, { env: { CARGO_TARGET_DIR: inRoot('target') } }))
  if (first) log(`slotctl is in target/release/ (${duration(started)}).`)
}
