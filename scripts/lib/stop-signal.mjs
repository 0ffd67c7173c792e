import { log } from './cli.mjs'

/**
 * @typedef {object} Server
 * @property {string} [name] in messages; `wrangler` by default
 * @property {Promise<unknown>} ended resolves when the server has ended, for whatever reason
 * @property {() => Promise<unknown>} stop
 */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

// One Ctrl-C arrives twice: from the terminal, and from npm, which forwards it.
const SAME_MS = 500

// The interval at which a script looks for its parent.
const LOOK_MS = 500

/**
 * Resolves when the parent has ended. npm runs a script in a shell, which does not forward a signal: it
 * ends, and the script would go on. On Windows a process keeps the number of its parent.
 */
function parentEnded() {
  const parent = process.ppid
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve('stop')
    }, LOOK_MS)
    timer.unref()
  })
}

/** Resolves at the first signal; a second one ends the script immediately. */
function stopSignal() {
  return new Promise((resolve) => {
    /** @type {number | undefined} */
    let first
    const listener = () => {
      first ??= Date.now()
      if (Date.now() - first > SAME_MS) process.exit(130)
      resolve('stop')
    }
    for (const signal of SIGNALS) process.on(signal, listener)
  })
}

/**
 * Waits for Ctrl-C or the end of the parent, then stops the server. Resolves to the exit code: 1 if the server ended by itself.
 *
 * @param {Server} server
 */
export async function untilStopped(server) {
  const ended = server.ended.then(() => 'ended')
  if ((await Promise.race([stopSignal(), parentEnded(), ended])) === 'ended') {
    log(`${server.name ?? 'wrangler'} ended unexpectedly: see its output above.`)
    return 1
  }
  await server.stop()
  log('Stopped.')
  return 0
}
