import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { log, UserError } from './cli.mjs'
import { capture, run } from './run.mjs'
import { atLeast, minimumRust } from './versions.mjs'

export const WASM_TARGET = 'wasm32-unknown-unknown'

/** Checks that a Rust is installed that can build the project. */
export function checkRust() {
  const needed = minimumRust()
  const version = capture('rustc', ['--version'])?.split(' ')[1]
  if (!version || capture('cargo', ['--version']) === null) throw missingRust(needed)
  if (!atLeast(version, needed)) {
    throw new UserError(
      `Rust ${version} is too old, ${needed} or later is needed: run \`rustup update\` (or install from https://rustup.rs), then run this again.`,
    )
  }
}

/** @param {string} needed */
function missingRust(needed) {
  // rust-toolchain.toml does not apply outside the project's folder.
  if (capture('rustup', ['--version'], { cwd: tmpdir() }) !== null) {
    return new UserError(
      'The Rust toolchain of rust-toolchain.toml is not installed: run `rustup toolchain install`, then run this again.',
    )
  }
  return new UserError(
    `Rust is missing (cargo and rustc, ${needed} or later): install it from https://rustup.rs, then run this again.`,
  )
}

/** Installs the Wasm target, unless the toolchain has it. */
export async function ensureWasmTarget() {
  const sysroot = capture('rustc', ['--print', 'sysroot']) ?? ''
  if (existsSync(path.join(sysroot, 'lib', 'rustlib', WASM_TARGET, 'lib'))) return
  if (capture('rustup', ['--version']) === null) {
    throw new UserError(
      `Rust's ${WASM_TARGET} target is missing, and there is no rustup to install it: install Rust from https://rustup.rs, or the target from the source of your Rust.`,
    )
  }
  log(`Installing Rust's ${WASM_TARGET} target (once, about 20 MB) ...`)
  await run('rustup', ['target', 'add', WASM_TARGET])
}
