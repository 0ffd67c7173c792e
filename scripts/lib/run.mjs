import { spawn, spawnSync } from 'node:child_process'

import { ROOT, SEARCH_PATH } from './paths.mjs'
import { UserError } from './talk.mjs'

export const childEnv = (extra = {}) => ({ ...process.env, PATH: SEARCH_PATH, ...extra })

// A child's stdout is talk as well: stdout belongs to the script's own data.
const TALK = ['ignore', 2, 2]

/** Runs a command with its output shown; resolves to its exit code. */
export function runStatus(command, args, { env, cwd = ROOT, stdio = TALK } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: childEnv(env), stdio })
    child.on('error', (error) => reject(new UserError(`${command} cannot be run: ${error.message}`)))
    child.on('exit', (code, signal) => resolve(signal ? 1 : code))
  })
}

/** As `runStatus`, but anything other than success is an error. */
export async function run(command, args, options = {}) {
  const code = await runStatus(command, args, options)
  if (code === 0) return
  const what = options.name ?? [command, ...args].join(' ')
  throw new UserError(`${what} failed (exit code ${code}): its own messages are above.`)
}

/** Standard output without its last newline, or null where the command is missing or fails. */
export function capture(command, args, { cwd = ROOT } = {}) {
  const result = spawnSync(command, args, { cwd, env: childEnv(), encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trimEnd() : null
}
