import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { bytes } from '../../worker/vectors.mjs'

export const GOLDEN = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url))

/** The releases with saved records, the oldest first. */
export const releases = () =>
  readdirSync(GOLDEN)
    .filter((name) => name.startsWith('v'))
    .sort()

export const readGolden = (release, file) => JSON.parse(readFileSync(path.join(GOLDEN, release, file), 'utf8'))

/** Turns saved records into the namespaces of a KV server. */
export const namespacesOf = (records) =>
  Object.fromEntries(
    Object.entries(records).map(([namespace, values]) => [
      namespace,
      new Map(Object.entries(values).map(([key, { value, metadata }]) => [key, { value: bytes(value), metadata }])),
    ]),
  )

/** The headers that the platform adds to an answer. */
export const PLATFORM = ['connection', 'date', 'keep-alive', 'transfer-encoding']

// The headers that name the version and the times.
const PASSING = [...PLATFORM, 'script-version', 'script-version-tag', 'server-timing']

/** An answer in the saved form: status, headers without volatile ones, and the bytes of the body. */
export function kept(answer, passing = PASSING) {
  const headers = Object.entries(answer.headers)
    .filter(([name]) => !passing.includes(name))
    .sort()
  const text = answer.body.toString()
  const isText = Buffer.from(text).equals(answer.body)
  return {
    status: answer.status,
    headers: Object.fromEntries(headers),
    body: isText ? text : { $base64: answer.body.toString('base64') },
  }
}
