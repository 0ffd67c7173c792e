import { existsSync } from 'node:fs'
import path from 'node:path'

import { duration, log, UserError } from './cli.mjs'
import { inRoot, SEARCH_DIRS, TOOLS } from './paths.mjs'
import { capture, run } from './run.mjs'
import { wasmBindgenVersion } from './versions.mjs'

/** @typedef {{ wasmBindgen: { cli: string, testRunner: string } }} Tools the paths of executables */

const SUFFIX = process.platform === 'win32' ? '.exe' : ''
const executable = (/** @type {string} */ name) => `${name}${SUFFIX}`

/**
 * The folder that contains `name` in this version; `.tools/bin` comes before PATH.
 *
 * @param {string} name @param {string} version
 */
function folderOf(name, version) {
  return SEARCH_DIRS.find((dir) => {
    const file = path.join(dir, executable(name))
    return existsSync(file) && capture(file, ['--version'])?.split(' ').at(-1) === version
  })
}

/**
 * Compiles wasm-bindgen with the dependencies that `tools/wasm-bindgen/Cargo.lock` names. Without
 * optimisation and debug information this takes half the time, and the tool is half a second slower
 * on a Wasm of this size.
 *
 * @param {string} version
 */
async function compileWasmBindgen(version) {
  const started = Date.now()
  log(`Compiling wasm-bindgen ${version} into .tools (once, about 3 minutes on two cores) ...`)
  const args = ['install', '--locked', '--root', TOOLS, '--path', inRoot('tools', 'wasm-bindgen'), '--debug']
  const env = { CARGO_PROFILE_DEV_DEBUG: 'none', CARGO_TARGET_DIR: inRoot('target', 'tools') }
  await run('cargo', args, { env, name: 'cargo install of wasm-bindgen' })
  log(`wasm-bindgen is installed (${duration(started)}).`)
}

/** @param {string} name @param {string} version */
function installed(name, version) {
  const folder = folderOf(name, version)
  if (folder) return folder
  throw new UserError(
    `${name} ${version} was installed into .tools/bin but does not run: remove .tools, then run \`npm run setup\`.`,
  )
}

const WASM_BINDGEN = ['wasm-bindgen', 'wasm-bindgen-test-runner']

/** The folder of the CLI and of the test runner, which must have the same version. @param {string} version */
function wasmBindgenFolder(version) {
  const [cli, testRunner] = WASM_BINDGEN.map((name) => folderOf(name, version))
  return cli === testRunner ? cli : undefined
}

/** @param {string} version */
async function installWasmBindgen(version) {
  await compileWasmBindgen(version)
  return installed('wasm-bindgen', version)
}

async function wasmBindgen() {
  const version = wasmBindgenVersion()
  const folder = wasmBindgenFolder(version) ?? (await installWasmBindgen(version))
  const [cli, testRunner] = WASM_BINDGEN.map((name) => path.join(folder, executable(name)))
  return { cli, testRunner }
}

/** Installs the tools that are missing; resolves to the paths of all. @returns {Promise<Tools>} */
export async function ensureTools() {
  return { wasmBindgen: await wasmBindgen() }
}
