import './lib/check-node.mjs'
import { rmSync } from 'node:fs'
import path from 'node:path'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { startExample } from './lib/conductor.mjs'
import { inRoot, ROOT } from './lib/paths.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'
import { heading, main, say } from './lib/talk.mjs'

const USAGE = 'npm run example:conductor -- [--port 8788] [--resolver-port 8787] [--fresh]'
const OPTIONS = {
  port: { type: 'string', default: '8788' },
  'resolver-port': { type: 'string', default: '8787' },
  fresh: { type: 'boolean' },
}
const FOLDER = '.demo/conductor'

const ASKS = [
  '/loader?uri=prompt://extraction@production',
  '/sdk?ref=extraction@canary',
  '/value?value=prompts/extraction',
  '/ensembles/ab-test?user=ada',
  '/ensembles/ab-test?user=edsger',
]

async function show({ example }) {
  heading('What the ensembles get')
  for (const ask of ASKS) say(`\n$ curl '${example.url}${ask}'\n${await (await fetch(`${example.url}${ask}`)).text()}`)
}

function showNextSteps({ resolver, example, repo }) {
  const slotctl = path.relative(ROOT, SLOTCTL)
  const shown = path.relative(ROOT, repo)
  heading('Widen the canary, from another terminal')
  say(`
  ${slotctl} rollout prompts/extraction production --to canary --percent 50 --repo ${shown}
  git -C ${shown} commit --all --message 'Half of production gets the canary'
  ${slotctl} sync --local ${resolver.url} --repo ${shown}
  curl '${example.url}/ensembles/canary?user=ada'

The example is at ${example.url}, the resolver at ${resolver.url}. Ctrl-C stops both.`)
}

await main(async () => {
  const options = parseOptions(OPTIONS, USAGE)
  const [port, resolverPort] = [options.port, options['resolver-port']].map(parsePort)
  await buildWorker(await setup())
  await buildSlotctl()
  const folder = inRoot(FOLDER)
  if (options.fresh) rmSync(folder, { recursive: true, force: true })
  heading('Starting the resolver and the example')
  const servers = await startExample({ port, resolverPort, folder })
  await show(servers)
  showNextSteps(servers)
  return untilStopped(servers)
})
