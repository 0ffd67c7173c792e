import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import { inRoot, OUTER_PATH } from './paths.mjs'
import { run } from './run.mjs'
import { duration, say } from './talk.mjs'

const STAMP = inRoot('node_modules', '.installed')

const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex')

/** The npm that runs this script, else the one on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath ?? ''
  if (!/npm-cli\.c?js$/.test(script)) return ['npm', []]
  return [process.env.npm_node_execpath ?? process.execPath, [script]]
}

const CI = ['ci', '--no-audit', '--no-fund', '--no-update-notifier']

/** Installs what package-lock.json names, when that changed. */
export async function ensurePackages() {
  const digest = lockDigest()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return
  const started = Date.now()
  say('Installing the npm packages (once, about 150 MB: wrangler, workerd, Node 22, binaryen) ...')
  const [npm, args] = npmCommand()
  await run(npm, [...args, ...CI], { env: { PATH: OUTER_PATH }, name: 'npm ci' })
  writeFileSync(STAMP, digest)
  say(`The npm packages are there (${duration(started)}).`)
}
