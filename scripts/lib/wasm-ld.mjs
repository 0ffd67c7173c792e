#!/usr/bin/env node
// The linker of the Worker: Rust's own, without the exports that nobody calls.
//
// The `worker` crate's classes are exported even if they are not used, and a linker keeps
// everything that an export needs: here an adapter of streams, a twentieth of the Wasm. No tool
// can tell after linking that only these exports needed it.
import { spawnSync } from 'node:child_process'

/** The prefixes of the classes' functions and of their descriptions. */
const CLASSES = ['intounderlying', 'minifyconfig', 'containerstartupoptions', 'r2range']
const OWN = /^(__wbindgen_describe_)?(__wbg_)?(get_|set_)?/

/** @param {string} symbol */
const isUncalled = (symbol) => CLASSES.some((name) => symbol.replace(OWN, '').startsWith(name))

/** @param {string[]} args */
function needed(args) {
  const isDropped = (/** @type {number} */ at) => args[at] === '--export' && isUncalled(args[at + 1])
  return args.filter((_, at) => !isDropped(at) && !isDropped(at - 1))
}

// rustc has put its folder on the PATH.
const { status, error } = spawnSync('rust-lld', needed(process.argv.slice(2)), { stdio: 'inherit' })
if (error) throw error
process.exit(status ?? 1)
