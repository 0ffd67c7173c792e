import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { inRoot } from '../../scripts/lib/paths.mjs'

/** A script with a server that says when it is stopped. */
const SCRIPT = `
import { untilStopped } from ${JSON.stringify(pathToFileURL(inRoot('scripts', 'lib', 'stop-signal.mjs')).href)}
const alive = setInterval(() => {}, 1_000)
console.log('ready')
process.exitCode = await untilStopped({
  ended: new Promise(() => {}),
  stop: async () => { clearInterval(alive); console.log('stopped') },
})`

/** Starts the script as npm does: in a shell that waits for it. */
function start() {
  const command = '"$NODE" --input-type=module --eval "$SCRIPT"; exit $?'
  const env = { ...process.env, NODE: process.execPath, SCRIPT }
  const shell = spawn('sh', ['-c', command], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let printed = ''
  const ready = new Promise((resolve) =>
    shell.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('ready')) resolve(undefined)
    }),
  )
  // The script holds the pipe until it ends.
  const closed = new Promise((resolve) => shell.once('close', resolve))
  return { shell, ready, closed, printed: () => printed }
}

for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
  test(`a server ends when ${signal} has ended the shell of npm`, { skip: process.platform === 'win32' }, async () => {
    const { shell, ready, closed, printed } = start()
    await ready
    shell.kill(signal)
    await closed
    assert.match(printed(), /stopped/)
  })
}
