import './lib/check-node.mjs'
import { readFileSync, rmSync } from 'node:fs'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { DEMO, ensureDemo } from './lib/demo.mjs'
import { startEdge } from './lib/edge/edge.mjs'
import { KEY, OVERRIDES } from './lib/edge/headers.js'
import { startEdgeKv } from './lib/edge/kv.mjs'
import { inRoot } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'
import { heading, main, say, UserError } from './lib/talk.mjs'

const USAGE = 'npm run edge -- [--port 8789] [--env staging] [--spread <milliseconds>] [--fresh]'
const OPTIONS = {
  port: { type: 'string', default: '8789' },
  env: { type: 'string', default: 'staging' },
  spread: { type: 'string', default: '3000' },
  fresh: { type: 'boolean' },
}
const STATE = '.demo/edge'
const WRANGLER = 'scripts/lib/edge/bin/wrangler'

/** The KV, filled as `npm start` does, and in front of it two versions of one build, the first deployed. */
async function start({ port, env, spread }) {
  heading('Starting the local edge')
  const kv = await startEdgeKv({ env, persistTo: STATE })
  try {
    await run(SLOTCTL, ['sync', '--local', kv.url, '--env', env, '--repo', DEMO], { name: 'slotctl sync' })
    const edge = await startEdge({ worker: `component-resolver-${env}`, kv, spread, port })
    const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
    const upload = async (tag) => (await edge.upload({ build: inRoot('build'), tag, message: 'build/' })).id
    const ids = [await upload(`v${version}`), await upload(`v${version}-again`)]
    await edge.deploy([[ids[0], 100]], { message: 'All to the first version' })
    return { edge, kv, ids }
  } catch (error) {
    await kv.stop()
    throw error
  }
}

function showWhatToTry({ edge, kv, ids: [old, next] }, { env, spread }) {
  const deploy = (...shares) => `${WRANGLER} versions deploy ${shares.join(' ')} --yes --env ${env}`
  heading('What to try, from another terminal')
  say(`
  export EDGE_API=${edge.apiUrl}
  ${WRANGLER} deployments status --json --env ${env}
  curl -i ${edge.url}/components/prompts/extraction@production

  # At 0 % only who asks for a version by its id gets it (after the ${spread / 1000} s that a deployment takes to spread)
  ${deploy(`${next}@0%`, `${old}@100%`)}
  curl -s ${edge.url}/version
  curl -s ${edge.url}/version -H '${OVERRIDES}: ${edge.worker.name}="${next}"'

  # At 10 % chance decides each request, and a key keeps its version while the share grows
  ${deploy(`${next}@10%`, `${old}@90%`)}
  for i in $(seq 20); do curl -s ${edge.url}/version; echo; done
  curl -s ${edge.url}/version -H '${KEY}: ada'

  # Upload build/ as another version
  ${WRANGLER} versions upload --tag mine --message 'My change' --env ${env}

The real wrangler drives it too, with CLOUDFLARE_API_BASE_URL=$EDGE_API and any token and account id.
KV for \`slotctl … --local ${kv.url} --env ${env}\`. Ctrl-C stops it all.`)
}

function parseSpread(text) {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UserError(`--spread ${text}: give the milliseconds that a deployment takes to spread, up to 999999.`, 2)
}

await main(async () => {
  const { fresh, env, ...options } = parseOptions(OPTIONS, USAGE)
  const [port, spread] = [parsePort(options.port), parseSpread(options.spread)]
  await buildWorker(await setup())
  await buildSlotctl()
  if (fresh) rmSync(inRoot(STATE), { recursive: true, force: true })
  await ensureDemo({ fresh })
  const running = await start({ port, env, spread })
  showWhatToTry(running, { env, spread })
  const stop = async () => {
    await running.edge.stop()
    await running.kv.stop()
  }
  return untilStopped({ name: 'The local edge', ended: Promise.race([running.edge.ended, running.kv.ended]), stop })
})
