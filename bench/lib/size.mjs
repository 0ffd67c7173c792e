import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

import { builtModules } from '../../tests/worker/harness/config.mjs'

/** The size of each uploaded file in bytes, compressed with gzip as Cloudflare counts it. */
export const compressedSizes = () =>
  Object.fromEntries(builtModules().map(({ name, file }) => [name, gzipSync(readFileSync(file), { level: 9 }).length]))
