import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('player.py', import.meta.url))

/**
 * Starts the Python client that plays cases.
 *
 * @param {string} python @param {'sync' | 'async'} kind
 * @returns {import('../../client/cases.mjs').Player & { stop: () => void }}
 */
export function startPlayer(python, kind) {
  // Requests to this machine use no proxy, so one that does not answer changes nothing.
  const env = { ...process.env, PYTHONUTF8: '1', http_proxy: 'http://127.0.0.1:1' }
  const child = spawn(python, [SCRIPT, kind], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const play = async (command) => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`the ${kind} client of Python ended; its error is above`)
    return JSON.parse(value)
  }
  return {
    create: (url, options) => play({ create: url, options }),
    call: (step) => play({ call: step }),
    stop: () => child.stdin.end(),
  }
}
