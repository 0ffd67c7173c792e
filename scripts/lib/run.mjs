import { spawn, spawnSync } from 'node:child_process'

import { UserError } from './cli.mjs'
import { ROOT, SEARCH_PATH } from './paths.mjs'

/**
 * @typedef {object} RunOptions
 * @property {Record<string, string>} [env] added to this process's own environment
 * @property {string} [cwd] the project's root by default
 * @property {import('node:child_process').StdioOptions} [stdio] by default all output goes to stderr
 * @property {string} [name] what an error calls the command
 */

/** @param {Record<string, string>} [extra] */
export const childEnv = (extra = {}) => ({ ...process.env, PATH: SEARCH_PATH, ...extra })

// The output of a child are messages as well; stdout is for the script's own data.
/** @type {import('node:child_process').StdioOptions} */
const TO_STDERR = ['ignore', 2, 2]

/**
 * Runs a command and shows its output; resolves to its exit code.
 *
 * @param {string} command @param {string[]} args @param {RunOptions} [options]
 * @returns {Promise<number>}
 */
export function runStatus(command, args, { env, cwd = ROOT, stdio = TO_STDERR } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: childEnv(env), stdio })
    child.on('error', (error) => reject(new UserError(`${command} cannot be run: ${error.message}`)))
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)))
  })
}

/**
 * Runs a command and shows its output.
 *
 * @param {string} command @param {string[]} args @param {RunOptions} [options]
 * @throws {UserError} if the command fails
 */
export async function run(command, args, options = {}) {
  const code = await runStatus(command, args, options)
  if (code === 0) return
  const what = options.name ?? [command, ...args].join(' ')
  throw new UserError(`${what} failed (exit code ${code}): see its output above.`)
}

/**
 * The standard output of a command without the last newline; null if the command is missing or fails.
 *
 * @param {string} command @param {string[]} args @param {{ cwd?: string }} [options]
 */
export function capture(command, args, { cwd = ROOT } = {}) {
  const result = spawnSync(command, args, { cwd, env: childEnv(), encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trimEnd() : null
}
