import './lib/check-node.mjs'
import { readFileSync, rmSync } from 'node:fs'

import { parseOptions, parsePort } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { heading, log, main, UserError } from './lib/cli.mjs'
import { DEMO, ensureDemo } from './lib/demo.mjs'
import { refuseBusyPort } from './lib/dev-server.mjs'
import { startEdgeKv, startLocalEdge } from './lib/edge.mjs'
import { releaseToTry, whatToTry } from './lib/edge-hints.mjs'
import { inRoot } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'
import { CONFIG } from './lib/wrangler-config.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run edge -- [--port 8789] [--env staging] [--spread <milliseconds>] [--fresh]',
  about: "Run Cloudflare's gradual deployments of the Worker on this machine",
  options: {
    port: { type: 'string', default: '8789', help: 'The port of the edge; 0 is any free port' },
    env: { type: 'string', default: 'staging', help: 'The environment in wrangler.toml whose name the Worker has' },
    spread: { type: 'string', default: '3000', help: 'The milliseconds that a deployment takes to reach all callers' },
    fresh: { type: 'boolean', help: 'Delete the demo repository and the KV of an earlier run first' },
  },
}
const STATE = '.demo/edge'

/**
 * Starts the KV, fills it as `npm start` does, and starts the edge with two versions of one build,
 * of which the first is deployed.
 *
 * @param {{ port: number, env: string, spread: number }} options
 */
async function start({ port, env, spread }) {
  heading('Starting the local edge')
  const kv = await startEdgeKv({ env, persistTo: STATE })
  try {
    await run(SLOTCTL, ['sync', '--local', kv.url, '--config', CONFIG, '--env', env, '--repo', DEMO], {
      name: 'slotctl sync',
    })
    const edge = await startLocalEdge({ worker: `component-resolver-${env}`, kv, spread, port })
    const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
    const upload = async (/** @type {string} */ tag) =>
      (await edge.upload({ build: inRoot('build'), tag, message: 'build/' })).id
    const ids = [await upload(`v${version}`), await upload(`v${version}-again`)]
    await edge.deploy([[ids[0], 100]], { message: 'All to the first version' })
    return { edge, kv, ids }
  } catch (error) {
    await kv.stop()
    throw error
  }
}

/** @param {string} text */
function parseSpread(text) {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UserError(
    `--spread ${text}: expected the milliseconds that a deployment takes to spread, at most 999999.`,
    2,
  )
}

await main(async () => {
  const { fresh, env, ...options } = parseOptions(COMMAND)
  const [port, spread] = [parsePort(options.port), parseSpread(options.spread)]
  await refuseBusyPort(port)
  await buildWorker(await setup())
  await buildSlotctl()
  if (fresh) rmSync(inRoot(STATE), { recursive: true, force: true })
  await ensureDemo({ fresh })
  const running = await start({ port, env, spread })
  heading('What to try, from another terminal')
  log(`\n${whatToTry({ ...running, env, spread })}

${releaseToTry({ ...running, env })}

The real wrangler works too, with --config wrangler.toml, CLOUDFLARE_API_BASE_URL=$EDGE_API and any token and
account id.
To change the KV: \`slotctl … --local ${running.kv.url} --env ${env}\`. Ctrl-C stops everything.`)
  const stop = async () => {
    await running.edge.stop()
    await running.kv.stop()
  }
  return untilStopped({ name: 'The local edge', ended: Promise.race([running.edge.ended, running.kv.ended]), stop })
})
