#!/usr/bin/env node
// The linker of the Worker: Rust's own, which is not told to export what nobody calls.
//
// The `worker` crate's classes are exported whether or not they are used, and a linker
// keeps all that an export needs: here an adapter of streams, a twentieth of the Wasm.
// Once it is linked, nothing can tell any more that only they needed it.
import { spawnSync } from 'node:child_process'

/** What the names of their functions, and of the descriptions of these, begin with. */
const CLASSES = ['intounderlying', 'minifyconfig', 'containerstartupoptions', 'r2range']
const OWN = /^(__wbindgen_describe_)?(__wbg_)?(get_|set_)?/

const isUncalled = (symbol) => CLASSES.some((name) => symbol.replace(OWN, '').startsWith(name))

function needed(args) {
  const dropped = (at) => args[at] === '--export' && isUncalled(args[at + 1])
  return args.filter((_, at) => !dropped(at) && !dropped(at - 1))
}

// rustc's PATH has it.
const { status, error } = spawnSync('rust-lld', needed(process.argv.slice(2)), { stdio: 'inherit' })
if (error) throw error
process.exit(status ?? 1)
