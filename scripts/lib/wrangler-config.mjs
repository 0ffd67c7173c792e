import { readFileSync } from 'node:fs'

import { UserError } from './cli.mjs'
import { inRoot } from './paths.mjs'

/**
 * The configuration of this project. Every call of wrangler names it: left to itself, wrangler prefers a
 * `wrangler.jsonc` in a parent folder, which may be another app's.
 */
export const CONFIG = inRoot('wrangler.toml')

const readConfig = () => readFileSync(CONFIG, 'utf8')

/** The compatibility date of the Worker. */
export function compatibilityDate() {
  const date = /^compatibility_date = "([^"]+)"/m.exec(readConfig())?.[1]
  if (date) return date
  throw new UserError('wrangler.toml has no compatibility_date.')
}

/** The compatibility flags of the Worker. @returns {string[]} */
export const compatibilityFlags = () => JSON.parse(/^compatibility_flags = (\[.*\])$/m.exec(readConfig())?.[1] ?? '[]')

/** The names of the environments, in the order of the file. @param {string} config */
const environments = (config) => [...config.matchAll(/^\[env\.([\w-]+)\]/gm)].map(([, name]) => name)

/**
 * Checks that wrangler.toml has the environment, and ids for its KV namespaces; returns its name.
 *
 * @param {string | undefined} name @param {string} usage
 * @throws {UserError} with the commands that create the namespaces
 */
export function checkEnvironment(name, usage) {
  const config = readConfig()
  const all = environments(config)
  if (!name || !all.includes(name)) {
    throw new UserError(`--env ${name ?? 'is missing'}: wrangler.toml has ${all.join(', ')}.\nUsage: ${usage}`, 2)
  }
  const missing = [...config.matchAll(/^[^#\n]*"replace-me-([\w-]+)"/gm)].map(([, id]) => id)
  const own = missing.filter((id) => id.startsWith(`${name}-`))
  if (own.length === 0) return name
  const commands = own.map((id) => `    npx wrangler kv namespace create ${id} --config wrangler.toml`).join('\n')
  throw new UserError(
    `wrangler.toml has no namespace ids for ${name}. Create the namespaces, and replace each \`replace-me-…\` with the id that is printed:\n${commands}`,
  )
}
