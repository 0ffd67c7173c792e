import { ensurePackages } from './packages.mjs'
import { checkRust, ensureWasmTarget } from './rust.mjs'
import { ensureTools } from './tools.mjs'

/**
 * Makes the machine ready and says where the tools are. What is there already
 * costs a few milliseconds, so every script begins with it.
 */
export async function setup() {
  checkRust()
  await ensurePackages()
  await ensureWasmTarget()
  return ensureTools()
}
