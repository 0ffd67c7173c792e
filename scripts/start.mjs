import './lib/check-node.mjs'
import path from 'node:path'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { curlWithAnswer } from './lib/curl.mjs'
import { DEMO, DEMO_STATE, ensureDemo, nextMove } from './lib/demo.mjs'
import { startDev } from './lib/dev-server.mjs'
import { ROOT } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'
import { heading, main, say } from './lib/talk.mjs'

const USAGE = 'npm start -- [--port 8787] [--fresh]'
const OPTIONS = { port: { type: 'string', default: '8787' }, fresh: { type: 'boolean' } }

const SLOT = '/components/prompts/extraction@production'
const EXAMPLES = [SLOT, '/components/prompts/extraction@v1.1.0', '/components/prompts/extraction@nowhere', '/version']

const sync = (url) => ['sync', '--local', url, '--repo', DEMO]
const slotctl = path.relative(ROOT, SLOTCTL)

async function showAnswers(url) {
  heading('What it answers')
  for (const example of EXAMPLES) process.stdout.write(`\n${await curlWithAnswer(url, example)}\n`)
}

function showNextSteps(url) {
  heading('Move a slot, with plain Git, from another terminal')
  say(`
  git -C ${DEMO} tag -f ${nextMove().join(' ')}
  ${slotctl} ${sync(url).join(' ')}
  curl -i ${url}${SLOT}

The resolver is at ${url}, the repository in ${DEMO}. Ctrl-C stops it.`)
}

async function fill(server) {
  heading(`Filling its KV from ${DEMO}`)
  await run(SLOTCTL, sync(server.url), { name: 'slotctl sync' })
  await showAnswers(server.url)
  showNextSteps(server.url)
}

/** A server that cannot be filled does not stay behind. */
async function fillOrStop(server) {
  try {
    await fill(server)
  } catch (error) {
    await server.stop()
    throw error
  }
}

await main(async () => {
  const options = parseOptions(OPTIONS, USAGE)
  const port = parsePort(options.port)
  await buildWorker(await setup())
  await buildSlotctl()
  await ensureDemo({ fresh: options.fresh })
  heading('Starting the resolver on a local Workers KV')
  const server = await startDev({ port, persistTo: DEMO_STATE, quiet: true })
  await fillOrStop(server)
  return untilStopped(server)
})
