import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from './paths.mjs'

/**
 * All files of a file or folder, in a fixed order.
 *
 * @param {string} relative @returns {string[]}
 */
function filesBelow(relative) {
  const stat = statSync(inRoot(relative), { throwIfNoEntry: false })
  if (!stat) return []
  if (stat.isFile()) return [relative]
  const names = readdirSync(inRoot(relative)).sort()
  return names.flatMap((name) => filesBelow(path.posix.join(relative, name)))
}

/**
 * A digest of the names and contents of files. Unlike modification times, a clone or a checkout
 * does not change it.
 *
 * @param {string[]} inputs files and folders @param {(string | null)[]} [extra] further texts
 */
export function fingerprint(inputs, extra = []) {
  const hash = createHash('sha256')
  for (const text of extra) hash.update(`${text}\0`)
  for (const file of inputs.flatMap(filesBelow)) {
    const content = readFileSync(inRoot(file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
