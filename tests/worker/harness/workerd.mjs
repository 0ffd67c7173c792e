import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { compatibilityFlags } from '../../../scripts/lib/wrangler-config.mjs'
import { Workerd } from '../../../tools/workerd/process.mjs'
import { builtModules, writeConfig } from './config.mjs'
import { KvServer, startKvServer } from './kv-server.mjs'
import { rawRequest } from './request.mjs'

const SCRIPT_VERSION = {
  id: '00000000-0000-4000-8000-000000000001',
  tag: 'test',
  timestamp: '2026-01-02T03:04:05.678Z',
}

const started = []

/**
 * Starts the built Worker in workerd, without wrangler.
 *
 * `kv` is the namespaces (name → Map), or a KvServer that several Workers share. `modules` replaces the
 * built Worker: a list of `{ name, source | file }`, the entry first. `caller` puts another Worker in
 * front: its `modules`, and `services`, the names of its service bindings to the built Worker. Requests
 * go to the caller, which also has the namespaces. `bindings` are further bindings of the Worker in
 * workerd's notation, and `services` the Workers that they name: `{ name, modules, bindings }`.
 */
export async function startWorker(options = {}) {
  const { kv = { SLOTS: new Map(), COMPONENTS: new Map() } } = options
  const own = !(kv instanceof KvServer)
  const server = own ? await startKvServer(kv) : kv
  const folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-test-'))
  try {
    const config = writeConfig(folder, configOf(options, server))
    return await new Worker(config, { kv: server, ownKv: own }).started()
  } finally {
    // workerd has read all files when it listens.
    rmSync(folder, { recursive: true, force: true })
  }
}

const configOf = (options, kv) => ({
  kv,
  modules: options.modules ?? builtModules(),
  caller: options.caller,
  vars: options.vars ?? {},
  bindings: options.bindings,
  services: options.services,
  scriptVersion: options.scriptVersion ?? SCRIPT_VERSION,
  compatibilityFlags: options.compatibilityFlags ?? compatibilityFlags(),
})

class Worker {
  #workerd
  #ownKv
  #agent = new http.Agent({ keepAlive: true })

  constructor(config, { kv, ownKv }) {
    this.kv = kv
    this.#ownKv = ownKv
    this.#workerd = new Workerd(config)
  }

  get pid() {
    return this.#workerd.pid
  }

  get began() {
    return this.#workerd.began
  }

  /** The output of the Worker and of workerd so far. */
  get output() {
    return this.#workerd.output
  }

  async started() {
    try {
      this.url = (await this.#workerd.started()).http
      started.push(this)
      return this
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** `{ method, path, headers, body }` → `{ status, headers, rawHeaders, body, text(), json() }`. */
  async rawRequest(request) {
    try {
      return await rawRequest(this.url, { agent: this.#agent, ...request })
    } catch (error) {
      throw new Error(`${request.method ?? 'GET'} ${request.path}: ${error.message}\n${this.output}`)
    }
  }

  fetch(path, init = {}) {
    return this.rawRequest({ path, ...init })
  }

  async stop() {
    this.#agent.destroy()
    await this.#workerd.stop()
    if (this.#ownKv) await this.kv.stop()
  }

  kill() {
    this.#workerd.kill()
  }

  report() {
    if (this.output) process.stderr.write(`\nworkerd at ${this.url} said:\n${this.output}\n`)
  }
}

// The output explains why a test failed.
process.on('exit', () => {
  if (process.exitCode) for (const worker of started) worker.report()
})
