// Deploys one build to an environment, to all of its callers at once.
import './lib/check-node.mjs'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildWorker, WORKER_OUTPUTS } from './lib/build.mjs'
import { QUIET_ENV } from './lib/dev-server.mjs'
import { ownNode, wranglerScript } from './lib/node-tools.mjs'
import { inRoot } from './lib/paths.mjs'
import { runStatus } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { heading, main, say, UserError } from './lib/talk.mjs'
import { versionName } from './lib/version-name.mjs'
import { checkEnvironment } from './lib/wrangler-config.mjs'

const USAGE = 'npm run deploy:staging|green|production -- [--prebuilt] [--at-once] [--allow-dirty] [--dry-run]'
const OPTIONS = {
  env: { type: 'string' },
  prebuilt: { type: 'boolean' },
  'at-once': { type: 'boolean' },
  'allow-dirty': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
}

/** Callers of production move to a new version in steps, all but the first time. */
function refuseAtOnce({ env, 'at-once': atOnce }) {
  if (env !== 'production' || atOnce) return
  throw new UserError(`production is released in steps: slotctl release --env production --check-url URL
To deploy to all of its callers at once, as the first deployment has to, say --at-once.`)
}

/** What is in build/, which from here on nothing changes. */
function describeBuild() {
  const missing = WORKER_OUTPUTS.filter((name) => !existsSync(inRoot('build', name)))
  if (missing.length > 0)
    throw new UserError(`build/${missing[0]} is missing: run \`npm run build:worker\`, or deploy without --prebuilt.`)
  for (const name of WORKER_OUTPUTS) {
    const digest = createHash('sha256')
      .update(readFileSync(inRoot('build', name)))
      .digest('hex')
    say(`    ${digest}  build/${name}`)
  }
}

await main(async () => {
  const options = parseOptions(OPTIONS, USAGE)
  const { env } = options
  checkEnvironment(env, USAGE)
  refuseAtOnce(options)
  const { tag, message } = versionName({ allowDirty: options['allow-dirty'] })
  if (!options.prebuilt) await buildWorker(await setup())
  heading(`Deploying ${tag} to ${env}`)
  describeBuild()
  const args = ['deploy', '--env', env, '--tag', tag, '--message', message]
  if (options['dry-run']) args.push('--dry-run')
  return runStatus(ownNode(), ['--no-warnings', wranglerScript(), ...args], {
    // wrangler may have to ask, and must not build again what was checked.
    stdio: 'inherit',
    env: { ...QUIET_ENV, RESOLVER_PREBUILT: '1' },
  })
})
