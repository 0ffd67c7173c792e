import { readFileSync } from 'node:fs'

import { startWorker } from './harness/workerd.mjs'

const FOLDER = new URL('../vectors/http/', import.meta.url)

export const readVectors = (file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))

/** The bytes of a value of the vectors. */
export function bytes(value) {
  if (typeof value === 'string') return Buffer.from(value)
  if (value.$base64 !== undefined) return Buffer.from(value.$base64, 'base64')
  return Buffer.from(JSON.stringify(value))
}

/** Writes the values of vectors to KV; null deletes a key. */
export function put(kv, namespaces = {}) {
  for (const [namespace, values] of Object.entries(namespaces)) {
    for (const [key, value] of Object.entries(values)) {
      if (value === null) kv.delete(namespace, key)
      else kv.put(namespace, key, bytes(value))
    }
  }
}

/**
 * Starts the built Worker, or `modules`, with the variables and the KV of a file of vectors. `kv` is
 * a server that already has them.
 *
 * @param {string} file @param {{ vars?: object } & Record<string, any>} [options]
 */
export async function serveVectors(file, { vars = {}, ...options } = {}) {
  const script = readVectors(file)
  const scriptVersion = {
    id: script.always['script-version'],
    tag: script.always['script-version-tag'],
    timestamp: '2026-11-20T00:00:00Z',
  }
  const worker = await startWorker({
    vars: { KV_TIMEOUT_MS: '500', ...script.vars, ...vars },
    scriptVersion,
    ...options,
  })
  put(worker.kv, script.kv)
  return { worker, script }
}

/** Sends the request of a vector. */
export async function ask(worker, { method = 'GET', host = 'resolver.example', path, headers, body }) {
  const payload = body === undefined ? undefined : bytes(body)
  const length = payload && { 'content-length': payload.length }
  return worker.rawRequest({ method, path, headers: { host, ...headers, ...length }, body: payload })
}
