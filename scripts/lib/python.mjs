import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { LICENCES, project } from './manifest.mjs'
import { inRoot } from './paths.mjs'

/** Tells if a file is published. @param {string} file */
const isSource = (file) => !/^(__pycache__|\..*_cache|\.venv|dist)$/.test(path.basename(file))

/** Rewrites a text file. @param {string} file @param {(text: string) => string} change */
const edit = (file, change) => writeFileSync(file, change(readFileSync(file, 'utf8')))

/**
 * Puts the Python package together in a folder, with the licences and the version of package.json.
 *
 * @param {string} folder
 */
export function stagePython(folder) {
  cpSync(inRoot('python'), folder, { recursive: true, filter: isSource })
  for (const licence of LICENCES) cpSync(inRoot(licence), path.join(folder, licence))
  const { version } = project()
  edit(path.join(folder, 'pyproject.toml'), (text) => text.replace(/^version = ".*"$/m, `version = "${version}"`))
  // The page of a package has no files beside it.
  edit(path.join(folder, 'README.md'), (text) => text.replace(/\[([^\]]+)\]\(\.\.[^)]*\)/g, '$1'))
  return folder
}
