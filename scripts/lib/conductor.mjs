import { copyFileSync, existsSync } from 'node:fs'
import path from 'node:path'

import { SLOTCTL } from './build.mjs'
import { cloneShop } from './demo.mjs'
import { startDev } from './dev-server.mjs'
import { inRoot } from './paths.mjs'
import { run } from './run.mjs'
import { CONFIG } from './wrangler-config.mjs'

/** The environment whose Worker the example is bound to. */
export const ENV = 'production'

const FOLDER = inRoot('examples', 'conductor')
const VERSIONS = { control: 'v1.0.0', treatment: 'v1.1.0', production: 'v1.0.0', canary: 'v1.1.0' }

/** Creates the shop's components, with the slots and splits that the ensembles use. @param {string} repo */
async function ensureComponents(repo) {
  if (existsSync(path.join(repo, 'rollouts.toml'))) return
  await cloneShop(repo)
  const git = (/** @type {string[]} */ ...args) => run('git', ['-C', repo, ...args])
  const tag = (/** @type {string} */ name) => `components/prompts/extraction/${name}`
  for (const [slot, version] of Object.entries(VERSIONS)) await git('tag', '--force', tag(slot), tag(version))
  copyFileSync(path.join(FOLDER, 'rollouts.toml'), path.join(repo, 'rollouts.toml'))
  await git('add', 'rollouts.toml')
  await git('commit', '--quiet', '--message', 'Split the traffic of extraction')
}

/**
 * Starts the resolver with the example's components, and the example with a service binding to it,
 * each in its own `wrangler dev`. Resolves to both servers; `stop` stops both.
 *
 * @param {{ port: number, resolverPort: number, folder: string }} options
 */
export async function startExample({ port, resolverPort, folder }) {
  const repo = path.join(folder, 'components')
  const persistTo = path.join(folder, 'state')
  await ensureComponents(repo)
  // Both use the same registry of Workers, where the example finds the resolver.
  const common = { persistTo, quiet: true, isolated: true }
  const resolver = await startDev({ ...common, port: resolverPort, env: ENV })
  try {
    await run(SLOTCTL, ['sync', '--local', resolver.url, '--config', CONFIG, '--env', ENV, '--repo', repo], {
      name: 'slotctl sync',
    })
    const config = path.join('examples', 'conductor', 'wrangler.toml')
    const example = await startDev({ ...common, port, config })
    const stop = () => Promise.all([example.stop(), resolver.stop()])
    return { resolver, example, repo, stop, ended: Promise.race([example.ended, resolver.ended]) }
  } catch (error) {
    await resolver.stop()
    throw error
  }
}
