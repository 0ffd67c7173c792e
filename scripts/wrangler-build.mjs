// The custom build command of wrangler.toml. wrangler runs it before it serves, deploys or
// uploads, and sets WRANGLER_COMMAND to which of these it does.
import './lib/check-node.mjs'
import { rmSync, writeFileSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildWorker } from './lib/build.mjs'
import { log, main } from './lib/cli.mjs'
import { inRoot } from './lib/paths.mjs'
import { setup } from './lib/setup.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'node scripts/wrangler-build.mjs [--env NAME]',
  about: 'Build the Worker for wrangler, as its custom build command',
  options: { env: { type: 'string', help: 'The environment in wrangler.toml that is built' } },
}
const ENTRY = "export * from './index.js'\nexport { default } from './index.js'\n"

// The default environment has its own entry, which exists for `wrangler dev` only. An exit code
// would hide the message below in wrangler's report of the failed command; a missing entry adds
// one line to it.
const localEntry = inRoot('build', 'local-only.js')

/** @param {string} command */
function refuse(command) {
  rmSync(localEntry, { force: true })
  log('The default environment is only for this machine and is never deployed: name another one.')
  log(`    npx wrangler ${command} --config wrangler.toml --env staging       (or green, production)`)
}

await main(async () => {
  const { env } = parseOptions(COMMAND)
  const command = process.env.WRANGLER_COMMAND ?? 'dev'
  if (!env && command !== 'dev') return refuse(command)
  // Set by callers that serve or deploy a finished build, such as the tests.
  if (process.env.RESOLVER_PREBUILT) return
  await buildWorker(await setup())
  if (!env) writeFileSync(localEntry, ENTRY)
})
