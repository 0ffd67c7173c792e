import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { log, main } from './lib/cli.mjs'
import { setup } from './lib/setup.mjs'

await main(async () => {
  parseOptions({}, 'npm run setup')
  await setup()
  log('Everything that the project needs is installed.')
})
