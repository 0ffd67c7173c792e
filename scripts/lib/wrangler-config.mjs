import { readFileSync } from 'node:fs'

import { inRoot } from './paths.mjs'
import { UserError } from './talk.mjs'

const readConfig = () => readFileSync(inRoot('wrangler.toml'), 'utf8')

/** The compatibility date that wrangler.toml gives the Worker. */
export const compatibilityDate = () => /^compatibility_date = "([^"]+)"/m.exec(readConfig())[1]

/** The environments of wrangler.toml, in its order. */
function environments(config) {
  return [...config.matchAll(/^\[env\.([\w-]+)\]/gm)].map(([, name]) => name)
}

/** Refuses an environment that wrangler.toml has not, or whose namespaces nobody has made yet. */
export function checkEnvironment(name, usage) {
  const config = readConfig()
  const all = environments(config)
  if (!all.includes(name)) {
    throw new UserError(`--env ${name ?? 'is missing'}: wrangler.toml has ${all.join(', ')}.\nUsage: ${usage}`, 2)
  }
  const missing = [...config.matchAll(/^[^#\n]*"replace-me-([\w-]+)"/gm)].map(([, id]) => id)
  const own = missing.filter((id) => id.startsWith(`${name}-`))
  if (own.length === 0) return
  const commands = own.map((id) => `    npx wrangler kv namespace create ${id}`).join('\n')
  throw new UserError(
    `wrangler.toml has no namespaces for ${name} yet. Make them, and put each id that this prints in place of its \`replace-me-…\`:\n${commands}`,
  )
}
