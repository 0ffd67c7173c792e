import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { bytes } from '../../worker/vectors.mjs'

export const GOLDEN = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url))

/** The releases whose records are kept, oldest first. */
export const releases = () =>
  readdirSync(GOLDEN)
    .filter((name) => name.startsWith('v'))
    .sort()

export const readGolden = (release, file) => JSON.parse(readFileSync(path.join(GOLDEN, release, file), 'utf8'))

/** Records as they are kept → the namespaces of a KV server. */
export const namespacesOf = (records) =>
  Object.fromEntries(
    Object.entries(records).map(([namespace, values]) => [
      namespace,
      new Map(Object.entries(values).map(([key, { value, metadata }]) => [key, { value: bytes(value), metadata }])),
    ]),
  )

/** What the platform adds to an answer, which says when and how it was sent. */
export const PLATFORM = ['connection', 'date', 'keep-alive', 'transfer-encoding']

// Who answered, and how quickly.
const PASSING = [...PLATFORM, 'script-version', 'script-version-tag', 'server-timing']

/** An answer as it is kept: status, headers without what passes, and the body's bytes. */
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
