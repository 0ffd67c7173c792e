import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { log, main } from './lib/cli.mjs'
import { setup } from './lib/setup.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run setup',
  about: 'Check the tools that the project needs, and install those that belong to it',
  options: {},
}

await main(async () => {
  parseOptions(COMMAND)
  await setup()
  log('Everything that the project needs is installed.')
})
