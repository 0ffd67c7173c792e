// Deploys a build to all callers of an environment at once.
import './lib/check-node.mjs'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildWorker, WORKER_OUTPUTS } from './lib/build.mjs'
import { heading, log, main, UserError } from './lib/cli.mjs'
import { QUIET_ENV } from './lib/dev-server.mjs'
import { ownNode, wranglerScript } from './lib/node-tools.mjs'
import { inRoot } from './lib/paths.mjs'
import { checkReadTokens } from './lib/read-tokens.mjs'
import { runStatus } from './lib/run.mjs'
import { setup } from './lib/setup.mjs'
import { versionName } from './lib/version-name.mjs'
import { CONFIG, checkEnvironment } from './lib/wrangler-config.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run deploy:staging|green|production -- [--prebuilt] [--public] [--at-once] [--allow-dirty] [--dry-run]',
  about: 'Deploy a build of the Worker to all callers of an environment',
  options: {
    env: { type: 'string', help: 'The environment in wrangler.toml, which `npm run deploy:<name>` sets' },
    prebuilt: { type: 'boolean', help: 'Deploy the files in build/ as they are' },
    public: { type: 'boolean', help: 'Let everybody read, without READ_TOKENS' },
    'at-once': { type: 'boolean', help: 'Deploy to all callers of production (for the first deployment)' },
    'allow-dirty': { type: 'boolean', help: 'Deploy a build that contains uncommitted changes' },
    'dry-run': { type: 'boolean', help: 'Check the build and the configuration, and upload nothing' },
  },
}

/** Production is released in steps, except for the first deployment. @param {string} env @param {boolean} [atOnce] */
function refuseAtOnce(env, atOnce) {
  if (env !== 'production' || atOnce) return
  throw new UserError(`production is released in steps: slotctl release --env production --check-url URL
The first deployment has to go to all callers at once: use --at-once.`)
}

/** Nobody opens a resolver by forgetting its tokens. @param {string} env @param {Record<string, any>} options */
function checkReaders(env, { public: open, 'dry-run': offline }) {
  if (open || checkReadTokens(env, { offline })) return
  log(
    '    READ_TOKENS is not in wrangler.toml. Without --dry-run, it has to be a secret of the Worker, or use --public.',
  )
}

/** Refuses to deploy a build that does not exist. */
function checkBuild() {
  const missing = WORKER_OUTPUTS.filter((name) => !existsSync(inRoot('build', name)))
  if (missing.length > 0) {
    throw new UserError(`build/${missing[0]} is missing: run \`npm run build:worker\`, or deploy without --prebuilt.`)
  }
}

/** Prints the digests of the files in build/, which do not change after this. */
function describeBuild() {
  for (const name of WORKER_OUTPUTS) {
    const digest = createHash('sha256')
      .update(readFileSync(inRoot('build', name)))
      .digest('hex')
    log(`    ${digest}  build/${name}`)
  }
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const env = checkEnvironment(options.env, COMMAND.usage)
  refuseAtOnce(env, options['at-once'])
  const { tag, message } = versionName({ allowDirty: options['allow-dirty'] })
  if (options.prebuilt) checkBuild()
  checkReaders(env, options)
  if (!options.prebuilt) await buildWorker(await setup())
  heading(`Deploying ${tag} to ${env}`)
  describeBuild()
  const args = ['deploy', '--config', CONFIG, '--env', env, '--tag', tag, '--message', message]
  if (options['dry-run']) args.push('--dry-run')
  return runStatus(ownNode(), ['--no-warnings', wranglerScript(), ...args], {
    // wrangler may ask questions, and must not build again what was checked.
    stdio: 'inherit',
    env: { ...QUIET_ENV, RESOLVER_PREBUILT: '1' },
  })
})
