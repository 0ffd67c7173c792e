import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

export const inRoot = (...parts) => path.join(ROOT, ...parts)

/** Tools that are built for this project alone land in `.tools/bin`. */
export const TOOLS = inRoot('.tools')

const LOCAL_BIN = inRoot('node_modules', '.bin')
export const CARGO_HOME = process.env.CARGO_HOME ?? path.join(homedir(), '.cargo')

const CARGO_BIN = path.join(CARGO_HOME, 'bin')
const inherited = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)

// A shell that was open while rustup installed itself does not know Cargo's
// folder yet.
const withCargo = inherited.includes(CARGO_BIN) ? inherited : [...inherited, CARGO_BIN]

export const SEARCH_DIRS = [path.join(TOOLS, 'bin'), ...withCargo]

/** PATH for everything that the scripts run. */
export const SEARCH_PATH = SEARCH_DIRS.join(path.delimiter)

/** The same without the project's own Node: `npm ci` removes it while it runs. */
export const OUTER_PATH = SEARCH_DIRS.filter((dir) => dir !== LOCAL_BIN).join(path.delimiter)
