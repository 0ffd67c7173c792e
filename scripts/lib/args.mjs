import util from 'node:util'

import { HelpRequest, UserError } from './cli.mjs'

/** @typedef {import('node:util').ParseArgsOptionDescriptor & { default?: string, help: string }} Option */

/**
 * The command line of a script: what `--help` prints and what is parsed.
 *
 * @typedef {object} Command
 * @property {string} usage how the script is called, without `--help`
 * @property {string} about what the script does: an imperative without a full stop
 * @property {Record<string, Option>} options
 */

/**
 * Parses the options of a script.
 *
 * @template {Command} T
 * @param {T} command @param {string[]} [args]
 * @throws {HelpRequest} for `--help` or `-h`
 * @throws {UserError} with exit code 2, for an unknown option
 */
export function parseOptions(command, args = process.argv.slice(2)) {
  if (args.some((arg) => arg === '--help' || arg === '-h')) throw new HelpRequest(helpOf(command))
  try {
    /** @type {T['options']} */
    const options = command.options
    return util.parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UserError(`${error.message.split('\n')[0]}\nUsage: ${command.usage}`, 2)
  }
}

/** The text of `--help`. @param {Command} command */
function helpOf({ usage, about, options }) {
  const rows = Object.entries(options).map(([name, { type, help, default: initial }]) => ({
    option: `--${name}${type === 'string' ? ' <value>' : ''}`,
    text: initial === undefined ? help : `${help} [default: ${initial}]`,
  }))
  rows.push({ option: '--help', text: 'Print this help' })
  const width = Math.max(...rows.map(({ option }) => option.length))
  const lines = rows.map(({ option, text }) => `  ${option.padEnd(width)}  ${text}`)
  return [about, '', `Usage: ${usage}`, '', 'Options:', ...lines].join('\n')
}

/** @param {string} text */
export function parsePort(text) {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new UserError(`--port ${text}: expected a number from 0 to 65535 (0 uses any free port).`, 2)
}
