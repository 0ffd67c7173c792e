import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

/** @param {string[]} parts */
export const inRoot = (...parts) => path.join(ROOT, ...parts)

/** Where tools of this project alone are installed, in `bin`. */
export const TOOLS = inRoot('.tools')

const LOCAL_BIN = inRoot('node_modules', '.bin')
export const CARGO_HOME = process.env.CARGO_HOME ?? path.join(homedir(), '.cargo')

const CARGO_BIN = path.join(CARGO_HOME, 'bin')
const inherited = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)

// Cargo's folder is not on the PATH of a shell that was open while rustup was installed.
const withCargo = inherited.includes(CARGO_BIN) ? inherited : [...inherited, CARGO_BIN]

export const SEARCH_DIRS = [path.join(TOOLS, 'bin'), ...withCargo]

/** The PATH of all child processes. */
export const SEARCH_PATH = SEARCH_DIRS.join(path.delimiter)

/** The same without the project's own Node, which `npm ci` removes while it runs. */
export const OUTER_PATH = SEARCH_DIRS.filter((dir) => dir !== LOCAL_BIN).join(path.delimiter)
