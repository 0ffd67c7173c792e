import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { buildSlotctl, buildWorker } from './lib/build.mjs'
import { log, main, UserError } from './lib/cli.mjs'
import { setup } from './lib/setup.mjs'

const USAGE = 'npm run build [-- --only worker|slotctl]'

await main(async () => {
  const { only } = parseOptions({ only: { type: 'string' } }, USAGE)
  if (only && !['worker', 'slotctl'].includes(only)) {
    throw new UserError(`--only ${only}: expected worker or slotctl.\nUsage: ${USAGE}`, 2)
  }
  const tools = await setup()
  if (only !== 'slotctl') await buildWorker(tools)
  if (only !== 'worker') await buildSlotctl()
  log('The build is up to date.')
})
