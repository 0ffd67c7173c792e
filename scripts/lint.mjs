import './lib/check-node.mjs'
import { parseOptions } from './lib/args.mjs'
import { main } from './lib/cli.mjs'
import { inRoot } from './lib/paths.mjs'
import { run } from './lib/run.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run lint',
  about: 'Check the format, the rules and the types of the JavaScript',
  options: {},
}

const BIOME = inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome')
const TSC = inRoot('node_modules', 'typescript', 'bin', 'tsc')

await main(async () => {
  parseOptions(COMMAND)
  await run(process.execPath, [BIOME, 'check', '--error-on-warnings', '.'], { name: 'biome check' })
  await run(process.execPath, [TSC], { name: 'tsc' })
  await run(process.execPath, [TSC, '--project', 'tests'], { name: 'tsc --project tests' })
})
