import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { fingerprint } from './fingerprint.mjs'
import { esbuild, wasmOpt } from './node-tools.mjs'
import { inRoot } from './paths.mjs'
import { capture, run } from './run.mjs'
import { duration, say, UserError } from './talk.mjs'
import { WORKER_BUILD } from './versions.mjs'

const STAMP = inRoot('build', '.inputs')
const INPUTS = ['src', 'crates/catalog', 'Cargo.toml', 'Cargo.lock', '.cargo', 'package-lock.json']

/** What worker-build leaves: the entry and the Wasm that it imports. */
export const WORKER_OUTPUTS = ['index.js', 'index_bg.wasm']

export const SLOTCTL = inRoot('target', 'release', process.platform === 'win32' ? 'slotctl.exe' : 'slotctl')

function workerIsCurrent(inputs) {
  const there = WORKER_OUTPUTS.every((name) => existsSync(inRoot('build', name)))
  return there && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === inputs
}

/** The Worker, to `build/`; nothing where no input changed since the last time. */
export async function buildWorker(tools) {
  const inputs = fingerprint(INPUTS, [WORKER_BUILD, capture('rustc', ['--version'])])
  if (workerIsCurrent(inputs)) return
  const started = Date.now()
  say('Building the Worker (the first time about a minute) ...')
  rmSync(STAMP, { force: true })
  await run(tools.workerBuild, ['--release'], { env: workerEnv(tools), name: 'worker-build' })
  nameDelete()
  writeFileSync(STAMP, inputs)
  say(`The Worker is in build/ (${duration(started)}).`)
}

/**
 * The entrypoint's method `delete`: wasm-bindgen exports a function by that name,
 * which is a reserved word, as `_delete`, and worker-build goes by the export.
 */
function nameDelete() {
  const entry = inRoot('build', 'index.js')
  const parts = readFileSync(entry, 'utf8').split('.prototype._delete')
  if (parts.length !== 2) throw new UserError('worker-build names the RPC method `delete` otherwise than it did: see nameDelete in scripts/lib/build.mjs.')
  writeFileSync(entry, parts.join('.prototype.delete'))
}

// worker-build would download these three; here they come from npm and Cargo,
// in the versions that the lock files name.
const workerEnv = (tools) => ({
  CARGO_TARGET_DIR: inRoot('target'),
  WASM_BINDGEN_BIN: tools.wasmBindgen.cli,
  WASM_OPT_BIN: wasmOpt(),
  ESBUILD_BIN: esbuild(),
})

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
