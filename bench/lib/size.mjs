import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { builtModules } from '../../tests/worker/harness/config.mjs'

/** `{ [file]: bytes }` of what is uploaded, compressed as Cloudflare counts it. */
export const compressedSizes = () =>
  Object.fromEntries(builtModules().map(({ name, file }) => [name, gzipSync(readFileSync(file), { level: 9 }).length]))
