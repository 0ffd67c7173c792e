// Whether a Worker is going to have read tokens.
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'

import { UserError } from './cli.mjs'
import { QUIET_ENV } from './dev-server.mjs'
import { ownNode, wranglerScript } from './node-tools.mjs'
import { ROOT } from './paths.mjs'
import { childEnv } from './run.mjs'
import { CONFIG } from './wrangler-config.mjs'

const NAME = 'READ_TOKENS'

/** wrangler's words for a Worker that does not exist yet. */
const UNKNOWN_WORKER = /Worker "[^"]+".* not found/

/** Prints whether the configuration sets the tokens, as wrangler itself reads it. */
const READER = `
const [wrangler, config, env, name] = process.argv.slice(1)
const { unstable_readConfig } = await import(wrangler)
const { vars, secrets_store_secrets } = unstable_readConfig({ config, env }, { hideWarnings: true })
const stored = (secrets_store_secrets ?? []).some(({ binding }) => binding === name)
console.log(JSON.stringify(stored || name in (vars ?? {})))`

/** @param {string[]} args */
function own(args) {
  const options = /** @type {const} */ ({ cwd: ROOT, env: childEnv(QUIET_ENV), encoding: 'utf8' })
  return spawnSync(ownNode(), ['--no-warnings', ...args], options)
}

/** @param {string} env */
function inConfiguration(env) {
  ownNode() // Fails with a better hint than a missing wrangler.
  const wrangler = pathToFileURL(wranglerScript()).href
  const { status, stdout, stderr } = own(['--input-type=module', '--eval', READER, wrangler, CONFIG, env, NAME])
  if (status !== 0) throw new UserError(`wrangler cannot read ${CONFIG}:\n${stderr.trim()}`)
  return JSON.parse(stdout)
}

/** @param {string} env */
function inAccount(env) {
  const list = ['secret', 'list', '--config', CONFIG, '--env', env, '--format', 'json']
  const { status, stdout, stderr } = own([wranglerScript(), ...list])
  if (status === 0) return JSON.parse(stdout).some((/** @type {{ name: string }} */ { name }) => name === NAME)
  if (UNKNOWN_WORKER.test(stdout + stderr)) return false
  throw new UserError(`wrangler cannot list the secrets of ${env}:\n${(stderr || stdout).trim()}`)
}

/**
 * Checks that readers need a token. Without READ_TOKENS, everybody can read.
 *
 * @param {string} env @param {{ offline?: boolean | undefined }} [options] `offline` asks no account
 * @returns {boolean} false if only the account knows
 * @throws {UserError} with the commands that set the tokens
 */
export function checkReadTokens(env, { offline = false } = {}) {
  if (inConfiguration(env)) return true
  if (offline) return false
  if (inAccount(env)) return true
  throw new UserError(`${env} has no ${NAME}: everybody could read all components. Set the tokens:
    slotctl token --scope '*'
    npx wrangler secret put ${NAME} --config wrangler.toml --env ${env}
or deploy with --public, if everybody may read.`)
}
