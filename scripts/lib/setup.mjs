import { ensurePackages } from './packages.mjs'
import { checkRust, ensureWasmTarget } from './rust.mjs'
import { ensureTools } from './tools.mjs'

/**
 * Installs everything that building and testing needs, and resolves to the paths of the tools.
 * Takes milliseconds if everything is installed, so every script starts with it.
 */
export async function setup() {
  checkRust()
  await ensurePackages()
  await ensureWasmTarget()
  return ensureTools()
}
