import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import { duration, log } from './cli.mjs'
import { inRoot, OUTER_PATH } from './paths.mjs'
import { run } from './run.mjs'

/** Contains the digest of the package-lock.json that is installed. */
const STAMP = inRoot('node_modules', '.installed')

const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex')

/**
 * The npm that runs this script, otherwise the one on PATH.
 *
 * @returns {[command: string, args: string[]]}
 */
export function npmCommand() {
  const script = process.env.npm_execpath ?? ''
  if (!/npm-cli\.c?js$/.test(script)) return ['npm', []]
  return [process.env.npm_node_execpath ?? process.execPath, [script]]
}

const CI = ['ci', '--no-audit', '--no-fund', '--no-update-notifier']

/** Installs the packages of package-lock.json if the file has changed. */
export async function ensurePackages() {
  const digest = lockDigest()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return
  const started = Date.now()
  log('Installing the npm packages (once, about 200 MB: wrangler, workerd, Node 22, binaryen, Biome) ...')
  const [npm, args] = npmCommand()
  await run(npm, [...args, ...CI], { env: { PATH: OUTER_PATH }, name: 'npm ci' })
  writeFileSync(STAMP, digest)
  log(`The npm packages are installed (${duration(started)}).`)
}
