import { readFileSync } from 'node:fs'

import { UserError } from './cli.mjs'
import { inRoot } from './paths.mjs'

/** The version of wasm-bindgen in Cargo.lock; the CLI must have exactly this version. */
export function wasmBindgenVersion() {
  const lock = readFileSync(inRoot('Cargo.lock'), 'utf8')
  const found = /^name = "wasm-bindgen"\nversion = "([^"]+)"/m.exec(lock.replaceAll('\r\n', '\n'))
  if (found) return found[1]
  throw new UserError('Cargo.lock has no wasm-bindgen: restore it with `git checkout Cargo.lock`.')
}

export function minimumRust() {
  const manifest = readFileSync(inRoot('Cargo.toml'), 'utf8')
  return /^rust-version = "([^"]+)"/m.exec(manifest)?.[1] ?? '1.85'
}

/**
 * Compares dotted numbers, as many of them as `needed` has.
 *
 * @param {string} version @param {string} needed
 */
export function atLeast(version, needed) {
  const have = version.split('.').map(Number)
  for (const [index, part] of needed.split('.').map(Number).entries()) {
    if ((have[index] ?? 0) !== part) return (have[index] ?? 0) > part
  }
  return true
}
