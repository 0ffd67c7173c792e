import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { buildSlotctl, buildWorker } from './lib/build.mjs'
import { log, main, UserError } from './lib/cli.mjs'
import { setup } from './lib/setup.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run build [-- --only worker|slotctl]',
  about: 'Build the Worker (build/) and slotctl (target/release/slotctl)',
  options: { only: { type: 'string', help: 'The part to build: worker or slotctl' } },
}

await main(async () => {
  const { only } = parseOptions(COMMAND)
  if (only && !['worker', 'slotctl'].includes(only)) {
    throw new UserError(`--only ${only}: expected worker or slotctl.\nUsage: ${COMMAND.usage}`, 2)
  }
  const tools = await setup()
  if (only !== 'slotctl') await buildWorker(tools)
  if (only !== 'worker') await buildSlotctl()
  log('The build is up to date.')
})
