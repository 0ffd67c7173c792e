// The custom build command of wrangler.toml: wrangler runs it before it serves,
// deploys or uploads, and says in WRANGLER_COMMAND which of these it does.
import './lib/check-node.mjs'
import { rmSync, writeFileSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildWorker } from './lib/build.mjs'
import { inRoot } from './lib/paths.mjs'
import { setup } from './lib/setup.mjs'
import { main, say } from './lib/talk.mjs'

const ENTRY = "export * from './index.js'\nexport { default } from './index.js'\n"

// The default environment's entry is a file of its own, there for `wrangler dev`
// only. To refuse by an exit code would drown the message in wrangler's report
// about the failed command; a missing entry is one more line.
const localEntry = inRoot('build', 'local-only.js')

function refuse(command) {
  rmSync(localEntry, { force: true })
  say('The default environment is for this machine and is never deployed: name another one.')
  say(`    npx wrangler ${command} --env staging       (or green, production)`)
}

await main(async () => {
  const { env } = parseOptions({ env: { type: 'string' } }, 'node scripts/wrangler-build.mjs')
  const command = process.env.WRANGLER_COMMAND ?? 'dev'
  if (!env && command !== 'dev') return refuse(command)
  // Who serves a finished build, as the tests do, does not want it replaced.
  if (process.env.RESOLVER_PREBUILT) return
  await buildWorker(await setup())
  if (!env) writeFileSync(localEntry, ENTRY)
})
