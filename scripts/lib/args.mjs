import util from 'node:util'

import { UserError } from './cli.mjs'

/** @typedef {import('node:util').ParseArgsOptionsConfig} Options */

/**
 * Parses the options of a script.
 *
 * @template {Options} T
 * @param {T} options @param {string} usage @param {string[]} [args]
 * @throws {UserError} with exit code 2, for an unknown option
 */
export function parseOptions(options, usage, args = process.argv.slice(2)) {
  try {
    return util.parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UserError(`${error.message.split('\n')[0]}\nUsage: ${usage}`, 2)
  }
}

/** @param {string} text */
export function parsePort(text) {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new UserError(`--port ${text}: expected a number from 0 to 65535 (0 uses any free port).`, 2)
}
