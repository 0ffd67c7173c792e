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
 * Waits for Ctrl-C, then stops the server. Resolves to the exit code: 1 if the server ended by itself.
 *
 * @param {Server} server
 */
export async function untilStopped(server) {
  const ended = server.ended.then(() => 'ended')
  if ((await Promise.race([stopSignal(), ended])) === 'ended') {
    log(`${server.name ?? 'wrangler'} ended unexpectedly: see its output above.`)
    return 1
  }
  await server.stop()
  log('Stopped.')
  return 0
}
