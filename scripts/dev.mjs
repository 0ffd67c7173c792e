import './lib/check-node.mjs'
import { parseOptions, parsePort } from './lib/args.mjs'
import { buildWorker } from './lib/build.mjs'
import { log, main } from './lib/cli.mjs'
import { startDev } from './lib/dev-server.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'

const USAGE = 'npm run dev -- [--port 8787] [--persist-to .wrangler/state] [--env NAME]'

/** @satisfies {import('./lib/args.mjs').Options} */
const OPTIONS = {
  port: { type: 'string', default: '8787' },
  'persist-to': { type: 'string', default: '.wrangler/state' },
  env: { type: 'string' },
}

await main(async () => {
  const options = parseOptions(OPTIONS, USAGE)
  const port = parsePort(options.port)
  await buildWorker(await setup())
  const persistTo = options['persist-to']
  const server = await startDev({ port, persistTo, env: options.env, watch: true })
  log(`The resolver is at ${server.url}, its KV in ${persistTo}. To fill the KV from a repository:`)
  log(`    npm run build && target/release/slotctl sync --local ${server.url} --repo DIR`)
  log('Ctrl-C stops it.')
  return untilStopped(server)
})
