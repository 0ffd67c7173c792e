import './lib/check-node.mjs'
import { rmSync } from 'node:fs'
import path from 'node:path'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { heading, log, main } from './lib/cli.mjs'
import { startExample } from './lib/conductor.mjs'
import { inRoot, ROOT } from './lib/paths.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'

/** @typedef {Awaited<ReturnType<typeof startExample>>} Servers */

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run example:conductor -- [--port 8788] [--resolver-port 8787] [--fresh]',
  about: 'Run the Conductor example and a resolver on this machine, and show what its ensembles get',
  options: {
    port: { type: 'string', default: '8788', help: 'The port of the example; 0 is any free port' },
    'resolver-port': { type: 'string', default: '8787', help: 'The port of the resolver; 0 is any free port' },
    fresh: { type: 'boolean', help: 'Delete the repository and the KV of an earlier run first' },
  },
}
const FOLDER = '.demo/conductor'

const REQUESTS = [
  '/loader?uri=prompt://extraction@production',
  '/sdk?ref=extraction@canary',
  '/value?value=prompts/extraction',
  '/ensembles/ab-test?user=ada',
  '/ensembles/ab-test?user=edsger',
]

/** @param {Servers} servers */
async function showAnswers({ example }) {
  heading('What the ensembles get')
  for (const request of REQUESTS) {
    const answer = await fetch(`${example.url}${request}`)
    log(`\n$ curl '${example.url}${request}'\n${await answer.text()}`)
  }
}

/** @param {Servers} servers */
function showNextSteps({ resolver, example, repo }) {
  const slotctl = path.relative(ROOT, SLOTCTL)
  const shown = path.relative(ROOT, repo)
  heading('Give the canary more traffic, from another terminal')
  log(`
  ${slotctl} rollout prompts/extraction production --to canary --percent 50 --repo ${shown}
  git -C ${shown} commit --all --message 'Half of production gets the canary'
  ${slotctl} sync --local ${resolver.url} --repo ${shown}
  curl '${example.url}/ensembles/canary?user=ada'

The example is at ${example.url}, the resolver at ${resolver.url}. Ctrl-C stops both.`)
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const [port, resolverPort] = [options.port, options['resolver-port']].map(parsePort)
  await buildWorker(await setup())
  await buildSlotctl()
  const folder = inRoot(FOLDER)
  if (options.fresh) rmSync(folder, { recursive: true, force: true })
  heading('Starting the resolver and the example')
  const servers = await startExample({ port, resolverPort, folder })
  await showAnswers(servers)
  showNextSteps(servers)
  return untilStopped(servers)
})
