import './lib/check-node.mjs'
import path from 'node:path'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { heading, log, main } from './lib/cli.mjs'
import { curlWithAnswer } from './lib/curl.mjs'
import { DEMO, DEMO_STATE, ensureDemo, nextMove } from './lib/demo.mjs'
import { startDev } from './lib/dev-server.mjs'
import { ROOT } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm start -- [--port 8787] [--fresh]',
  about: 'Run the resolver on this machine with a demo repository, and show what it answers',
  options: {
    port: { type: 'string', default: '8787', help: 'The port of the resolver; 0 is any free port' },
    fresh: { type: 'boolean', help: 'Delete the demo repository and the KV of an earlier run first' },
  },
}

const SLOT = '/components/prompts/extraction@production'
const EXAMPLES = [SLOT, '/components/prompts/extraction@v1.1.0', '/components/prompts/extraction@nowhere', '/version']

/** @param {string} url */
const sync = (url) => ['sync', '--local', url, '--repo', DEMO]
const slotctl = path.relative(ROOT, SLOTCTL)

/** @param {string} url */
async function showAnswers(url) {
  heading('What it answers')
  for (const example of EXAMPLES) process.stdout.write(`\n${await curlWithAnswer(url, example)}\n`)
}

/** @param {string} url */
function showNextSteps(url) {
  heading('Move a slot with plain Git, from another terminal')
  log(`
  git -C ${DEMO} tag -f ${nextMove().join(' ')}
  ${slotctl} ${sync(url).join(' ')}
  curl -i ${url}${SLOT}

The resolver is at ${url}, the repository in ${DEMO}. Ctrl-C stops it.`)
}

/** Fills the KV of a server; stops the server if that fails. @param {{ url: string, stop: () => Promise<void> }} server */
async function fill(server) {
  heading(`Filling its KV from ${DEMO}`)
  try {
    await run(SLOTCTL, sync(server.url), { name: 'slotctl sync' })
    await showAnswers(server.url)
    showNextSteps(server.url)
  } catch (error) {
    await server.stop()
    throw error
  }
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const port = parsePort(options.port)
  await buildWorker(await setup())
  await buildSlotctl()
  await ensureDemo({ fresh: options.fresh })
  heading('Starting the resolver on a local Workers KV')
  const server = await startDev({ port, persistTo: DEMO_STATE, quiet: true })
  await fill(server)
  return untilStopped(server)
})
