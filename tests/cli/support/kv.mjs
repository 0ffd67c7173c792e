import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'

import { startDev } from '../../../scripts/lib/dev-server.mjs'
import { temporaryFolder } from './repo.mjs'

const WORKER = `export default { fetch: () => new Response('ok') }\n`

const bindingText = (table, binding, id) => `[[${table}]]\nbinding = "${binding}"\nid = "${id}"\n`

/** An id in Cloudflare's format. */
const idOf = (name) => createHash('sha256').update(name).digest('hex').slice(0, 32)

/**
 * Starts one `wrangler dev` with namespaces for `pairs` tests. Each test takes its own pair, so that
 * tests do not see each other's keys. With `conductor`, a pair has a third namespace for the copies.
 */
export async function startKv({ pairs = 32, conductor = false } = {}) {
  const folder = temporaryFolder('kv')
  const config = path.join(folder, 'wrangler.toml')
  const all = Array.from({ length: pairs }, (_, number) => pairOf(folder, number, conductor))
  const bindings = all.flatMap(({ number, ids }) => [
    bindingText('kv_namespaces', `SLOTS_${number}`, ids.slots),
    bindingText('kv_namespaces', `COMPONENTS_${number}`, ids.components),
    ...(conductor ? [bindingText('kv_namespaces', `CONDUCTOR_${number}`, ids.conductor)] : []),
  ])
  const head = 'name = "cli-tests"\nmain = "worker.mjs"\ncompatibility_date = "2026-10-01"\n'
  writeFileSync(config, head + bindings.join(''))
  writeFileSync(path.join(folder, 'worker.mjs'), WORKER)
  const server = await startDev({
    port: 0,
    config,
    persistTo: path.join(folder, 'state'),
    quiet: true,
    isolated: true,
  })
  return { ...server, pair: () => takePair(all, server.url) }
}

function pairOf(folder, number, conductor) {
  const ids = {
    slots: idOf(`slots ${number}`),
    components: idOf(`components ${number}`),
    conductor: idOf(`conductor ${number}`),
  }
  const config = path.join(folder, `wrangler-${number}.toml`)
  const texts = ['kv_namespaces', 'env.staging.kv_namespaces'].flatMap((table) => [
    bindingText(table, 'SLOTS', ids.slots),
    bindingText(table, 'COMPONENTS', ids.components),
    ...(conductor ? [bindingText(table, 'CONDUCTOR', ids.conductor)] : []),
  ])
  writeFileSync(config, texts.join(''))
  return { number, ids, config }
}

function takePair(all, url) {
  const { ids, config } = all.shift() ?? {}
  if (!config) throw new Error('all pairs are taken: start with more')
  const [slots, components, conductor] = [ids.slots, ids.components, ids.conductor].map((id) => new Kv(url, id))
  return { ids, config, slots, components, conductor }
}

/** Reads and changes a namespace without `slotctl`. */
export class Kv {
  constructor(url, id) {
    this.base = `${url}/cdn-cgi/explorer/api/storage/kv/namespaces/${id}`
  }

  /** Every key with its metadata, without the records of running syncs. */
  async list() {
    const all = Object.entries(await this.listAll())
    return Object.fromEntries(all.filter(([key]) => !key.startsWith('@sync/')))
  }

  async listAll() {
    const keys = {}
    let cursor = ''
    do {
      const response = await fetch(`${this.base}/keys?limit=1000&cursor=${encodeURIComponent(cursor)}`)
      const { result, result_info: info } = /** @type {any} */ (await response.json())
      for (const { name, metadata } of result) keys[name] = metadata
      cursor = info.cursor
    } while (cursor)
    return keys
  }

  async get(key) {
    const response = await fetch(`${this.base}/values/${encodeURIComponent(key)}`)
    return response.ok ? Buffer.from(await response.arrayBuffer()) : null
  }

  async json(key) {
    return JSON.parse(String(await this.get(key)))
  }

  async put(key, value) {
    const response = await fetch(`${this.base}/values/${encodeURIComponent(key)}`, { method: 'PUT', body: value })
    if (!response.ok) throw new Error(await response.text())
  }

  /** The same, with metadata. */
  async putWith(key, value, metadata) {
    const body = new FormData()
    body.set('value', new Blob([value]))
    body.set('metadata', JSON.stringify(metadata))
    const response = await fetch(`${this.base}/values/${encodeURIComponent(key)}`, { method: 'PUT', body })
    if (!response.ok) throw new Error(await response.text())
  }

  async delete(key) {
    await fetch(`${this.base}/values/${encodeURIComponent(key)}`, { method: 'DELETE' })
  }

  /** Every key with its value, to compare two moments. */
  async dump() {
    const values = {}
    for (const key of Object.keys(await this.list())) values[key] = (await this.get(key)).toString('latin1')
    return values
  }
}

/** The keys whose values differ between two dumps. */
export const changedKeys = (before, after) =>
  Object.keys({ ...before, ...after })
    .filter((key) => before[key] !== after[key])
    .sort()

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
