import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { setup } from './lib/setup.mjs'
import { main, say } from './lib/talk.mjs'

await main(async () => {
  parseOptions({}, 'npm run setup')
  await setup()
  say('Everything that builds and runs the project is there.')
})
