import './lib/check-node.mjs'
import { parseOptions, parsePort } from './lib/args.mjs'
import { buildWorker } from './lib/build.mjs'
import { startDev } from './lib/dev-server.mjs'
import { setup } from './lib/setup.mjs'
import { untilStopped } from './lib/stop-signal.mjs'
import { main, say } from './lib/talk.mjs'

const USAGE = 'npm run dev -- [--port 8787] [--persist-to .wrangler/state] [--env NAME]'

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
  say(`The resolver is at ${server.url}, its KV in ${persistTo}. Fill it from a repository:`)
  say(`    npm run build && target/release/slotctl sync --local ${server.url} --repo DIR`)
  say('Ctrl-C stops it.')
  return untilStopped(server)
})
