import { say } from './talk.mjs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

// One Ctrl-C arrives twice: from the terminal, and again from npm, which passes
// on what it gets.
const SAME_MS = 500

/** Resolves at the first Ctrl-C or request to end; at the next the script ends at once. */
function stopSignal() {
  return new Promise((resolve) => {
    let asked
    const listener = () => {
      asked = asked ?? Date.now()
      if (Date.now() - asked > SAME_MS) process.exit(130)
      resolve('stop')
    }
    for (const signal of SIGNALS) process.on(signal, listener)
  })
}

/** Keeps a server up until someone wants it stopped, then stops it; gives the exit code. */
export async function untilStopped(server) {
  const gone = server.ended.then(() => 'gone')
  if ((await Promise.race([stopSignal(), gone])) === 'gone') {
    say(`${server.name ?? 'wrangler'} ended by itself: its own messages are above.`)
    return 1
  }
  await server.stop()
  say('Stopped.')
  return 0
}
