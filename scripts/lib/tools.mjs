import { existsSync } from 'node:fs'
import path from 'node:path'

import { SEARCH_DIRS, TOOLS } from './paths.mjs'
import { fetchWasmBindgen } from './prebuilt.mjs'
import { capture, run } from './run.mjs'
import { duration, say, UserError } from './talk.mjs'
import { wasmBindgenVersion } from './versions.mjs'

const SUFFIX = process.platform === 'win32' ? '.exe' : ''
const executable = (name) => `${name}${SUFFIX}`

/** The folder that holds `name` in the wanted version, `.tools/bin` before PATH. */
function folderOf(name, version) {
  return SEARCH_DIRS.find((dir) => {
    const file = path.join(dir, executable(name))
    return existsSync(file) && capture(file, ['--version'])?.split(' ').at(-1) === version
  })
}

/**
 * Unoptimised and without debug information: the tool is there in half the time,
 * and half a second slower on a Wasm of this size.
 */
async function cargoInstall(crate, version) {
  const started = Date.now()
  say(`Compiling ${crate} ${version} into .tools (once, about 3 minutes on two cores) ...`)
  const args = ['install', '--root', TOOLS, `${crate}@${version}`, '--debug']
  const env = { CARGO_PROFILE_DEV_DEBUG: 'none' }
  await run('cargo', args, { env, name: `cargo install ${crate}` })
  say(`${crate} is there (${duration(started)}).`)
}

function installed(name, version) {
  const folder = folderOf(name, version)
  if (folder) return folder
  throw new UserError(
    `${name} ${version} was installed into .tools/bin and does not run there: remove .tools, then run \`npm run setup\`.`,
  )
}

const WASM_BINDGEN = ['wasm-bindgen', 'wasm-bindgen-test-runner']

/** The folder of the CLI and of the test runner, which belong together. */
function wasmBindgenFolder(version) {
  const [cli, testRunner] = WASM_BINDGEN.map((name) => folderOf(name, version))
  return cli === testRunner ? cli : undefined
}

async function installWasmBindgen(version) {
  if (await fetchWasmBindgen(version, WASM_BINDGEN.map(executable))) {
    const folder = wasmBindgenFolder(version)
    if (folder) return folder
    say('The prebuilt wasm-bindgen does not run here.')
  }
  await cargoInstall('wasm-bindgen-cli', version)
  return installed('wasm-bindgen', version)
}

async function wasmBindgen() {
  const version = wasmBindgenVersion()
  const folder = wasmBindgenFolder(version) ?? (await installWasmBindgen(version))
  const [cli, testRunner] = WASM_BINDGEN.map((name) => path.join(folder, executable(name)))
  return { cli, testRunner }
}

/** Paths of the tools that build and test the Worker; installs what is missing. */
export async function ensureTools() {
  return { wasmBindgen: await wasmBindgen() }
}
