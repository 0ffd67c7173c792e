import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from './paths.mjs'

const LICENCES = ['LICENSE-MIT', 'LICENSE-APACHE']

/** What is not published. @param {string} file */
const isSource = (file) => !/^(__pycache__|\..*_cache|\.venv|dist)$/.test(path.basename(file))

/**
 * Puts the Python package together in a folder, with the licences and the version of package.json.
 *
 * @param {string} folder
 */
export function stagePython(folder) {
  cpSync(inRoot('python'), folder, { recursive: true, filter: isSource })
  for (const licence of LICENCES) cpSync(inRoot(licence), path.join(folder, licence))
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  const file = path.join(folder, 'pyproject.toml')
  const manifest = readFileSync(file, 'utf8')
  writeFileSync(file, manifest.replace(/^version = ".*"$/m, `version = "${version}"`))
  return folder
}
