import util from 'node:util'

import { UserError } from './talk.mjs'

/** Options of a script; what it does not know is a usage error (2). */
export function parseOptions(options, usage, args = process.argv.slice(2)) {
  try {
    return util.parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    throw new UserError(`${error.message.split('\n')[0]}\nUsage: ${usage}`, 2)
  }
}

export function parsePort(text) {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw new UserError(`--port ${text}: not a port; give a number from 0 (any free one) to 65535.`, 2)
}
