import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from './paths.mjs'

/** All files below the given paths (files or folders), in a fixed order. */
function filesBelow(relative) {
  const stat = statSync(inRoot(relative), { throwIfNoEntry: false })
  if (!stat) return []
  if (stat.isFile()) return [relative]
  const names = readdirSync(inRoot(relative)).sort()
  return names.flatMap((name) => filesBelow(path.posix.join(relative, name)))
}

/** One digest over names and contents: unlike times, the same after a clone or a checkout. */
export function fingerprint(inputs, extra = []) {
  const hash = createHash('sha256')
  for (const text of extra) hash.update(`${text}\0`)
  for (const file of inputs.flatMap(filesBelow)) {
    const content = readFileSync(inRoot(file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}
