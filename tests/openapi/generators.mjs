import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { ensureVenv, executable } from '../../scripts/lib/venv.mjs'

const SOURCE = fileURLToPath(new URL('generators/', import.meta.url))
const FOLDER = fileURLToPath(new URL('../../.tools/generators/', import.meta.url))
const STAMP = path.join(FOLDER, 'stamp')
const VENV = path.join(FOLDER, 'venv')

/** The packages that are installed by their hashes. */
const PINNED = ['package.json', 'package-lock.json', 'requirements.txt']

export const NODE_MODULES = path.join(FOLDER, 'node_modules')
export const PYTHON = executable(VENV, 'python')

const digest = () => {
  const hash = createHash('sha256')
  for (const name of PINNED) hash.update(readFileSync(path.join(SOURCE, name)))
  return hash.digest('hex')
}

/** Installs the generators into a cached folder, unless it has these versions already. */
export function installGenerators() {
  const wanted = digest()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  for (const name of PINNED) cpSync(path.join(SOURCE, name), path.join(FOLDER, name))
  const options = {
    cwd: FOLDER,
    stdio: /** @type {import('node:child_process').StdioOptions} */ (['ignore', 'ignore', 'inherit']),
  }
  const shell = process.platform === 'win32'
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { ...options, shell })
  ensureVenv(VENV, path.join(SOURCE, 'requirements.txt'))
  writeFileSync(STAMP, wanted)
}

/** Rules of Redocly that the interface breaks on purpose, each with the reason. */
const ALLOWED = {
  'no-ambiguous-paths': 'a reference is the optional end of a path, after the last "@"',
  'operation-4xx-response': '/version and /healthz take no parameters that could be wrong',
}

/** Returns the problems that Redocly's recommended rules find. @param {string} document @returns {Promise<string[]>} */
export async function lintProblems(document) {
  const { createConfig, lint } = createRequire(path.join(FOLDER, 'package.json'))('@redocly/openapi-core')
  const config = await createConfig({ extends: ['recommended'] })
  /** @type {{ ruleId: string, message: string }[]} */
  const problems = await lint({ ref: document, config })
  return problems.filter(({ ruleId }) => !(ruleId in ALLOWED)).map(({ ruleId, message }) => `${ruleId}: ${message}`)
}
