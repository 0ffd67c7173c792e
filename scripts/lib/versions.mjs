import { readFileSync } from 'node:fs'

import { inRoot } from './paths.mjs'
import { UserError } from './talk.mjs'

/** wasm-bindgen's CLI and crate must be the very same version. */
export function wasmBindgenVersion() {
  const lock = readFileSync(inRoot('Cargo.lock'), 'utf8')
  const found = /^name = "wasm-bindgen"\nversion = "([^"]+)"/m.exec(lock.replaceAll('\r\n', '\n'))
  if (found) return found[1]
  throw new UserError('Cargo.lock names no wasm-bindgen: restore it with `git checkout Cargo.lock`.')
}

export function minimumRust() {
  const manifest = readFileSync(inRoot('Cargo.toml'), 'utf8')
  return /^rust-version = "([^"]+)"/m.exec(manifest)?.[1] ?? '1.85'
}

/** Compares dotted numbers, as many as `needed` has. */
export function atLeast(version, needed) {
  const have = version.split('.').map(Number)
  for (const [index, part] of needed.split('.').map(Number).entries()) {
    if ((have[index] ?? 0) !== part) return (have[index] ?? 0) > part
  }
  return true
}
