import './lib/check-node.mjs'
import { parseOptions, parsePort } from './lib/args.mjs'
import { buildWorker } from './lib/build.mjs'
import { log, main } from './lib/cli.mjs'
import { startDev } from './lib/dev-server.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run dev -- [--port 8787] [--persist-to .wrangler/state] [--env NAME]',
  about: 'Run the resolver on this machine, and build it again after each change',
  options: {
    port: { type: 'string', default: '8787', help: 'The port of the resolver; 0 is any free port' },
    'persist-to': { type: 'string', default: '.wrangler/state', help: 'The folder of the local Workers KV' },
    env: { type: 'string', help: 'The environment in wrangler.toml whose settings are used' },
  },
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const port = parsePort(options.port)
  await buildWorker(await setup())
  const persistTo = options['persist-to']
  const server = await startDev({ port, persistTo, env: options.env, watch: true })
  log(`The resolver is at ${server.url}, its KV in ${persistTo}. To fill the KV from a repository:`)
  log(`    npm run build && target/release/slotctl sync --local ${server.url} --repo DIR`)
  log('Ctrl-C stops it.')
  return untilStopped(server)
})
