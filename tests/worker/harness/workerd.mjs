import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { builtModules, writeConfig } from './config.mjs'
import { KvServer, startKvServer } from './kv-server.mjs'
import { rawRequest } from './request.mjs'

const workerd = createRequire(import.meta.url)('workerd').default
const START_MS = 10_000
const SCRIPT_VERSION = {
  id: '00000000-0000-4000-8000-000000000001',
  tag: 'test',
  timestamp: '2026-01-02T03:04:05.678Z',
}

const running = new Set()
const started = []

/**
 * The built Worker in workerd itself, without wrangler in between.
 *
 * `kv` holds the namespaces (name → Map) or is a KvServer that several Workers
 * share; `modules` replaces the built Worker: a list of `{ name, source | file }`
 * whose first is the entry. `caller` puts another Worker in front: `modules`, and
 * `services`, the names of its service bindings to the built Worker; requests go to
 * it, and it has the namespaces bound too.
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
    // Once it listens, workerd has read all of it.
    rmSync(folder, { recursive: true, force: true })
  }
}

const configOf = (options, kv) => ({
  kv,
  modules: options.modules ?? builtModules(),
  caller: options.caller,
  vars: options.vars ?? {},
  scriptVersion: options.scriptVersion ?? SCRIPT_VERSION,
  compatibilityFlags: options.compatibilityFlags ?? [],
})

class Worker {
  #process
  #stderr = []
  #ownKv
  #agent = new http.Agent({ keepAlive: true })

  constructor(config, { kv, ownKv }) {
    this.kv = kv
    this.#ownKv = ownKv
    const args = ['serve', '--experimental', '--control-fd=3', config]
    this.#process = spawn(workerd, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (chunk) => this.#stderr.push(chunk))
    }
    running.add(this)
  }

  get pid() {
    return this.#process.pid
  }

  /** What the Worker logged and workerd said, so far. */
  get output() {
    return Buffer.concat(this.#stderr).toString()
  }

  async started() {
    try {
      this.url = `http://127.0.0.1:${await this.#port()}`
      started.push(this)
      this.#unref()
      return this
    } catch (error) {
      await this.stop()
      throw new Error(`workerd did not start: ${error.message}\n${this.output}`)
    }
  }

  /** Which port it took: it says so on its control channel. */
  #port() {
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('no word from it')), START_MS).unref()
      this.#process.once('error', reject)
      this.#process.once('exit', (code) => reject(new Error(`it ended with exit code ${code}`)))
      createInterface(this.#process.stdio[3]).on('line', (line) => {
        const { event, socket, port } = JSON.parse(line)
        if (event === 'listen' && socket === 'http') resolve(port)
      })
    })
  }

  // A test that fails before it stops its Worker must still come to an end.
  #unref() {
    const { stdout, stderr, stdio } = this.#process
    for (const handle of [this.#process, stdout, stderr, stdio[3]]) handle.unref()
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
    running.delete(this)
    this.#agent.destroy()
    this.kill()
    if (this.#process.pid !== undefined) await this.#ended()
    if (this.#ownKv) await this.kv.stop()
  }

  kill() {
    this.#process.kill('SIGKILL')
  }

  report() {
    if (this.output) process.stderr.write(`\nworkerd at ${this.url} said:\n${this.output}\n`)
  }

  #ended() {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return undefined
    this.#process.ref()
    return new Promise((resolve) => this.#process.once('exit', resolve))
  }
}

// No workerd outlives its test, and what it said explains why a test failed.

process.on('exit', () => {
  killRunning()
  if (process.exitCode) for (const worker of started) worker.report()
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killRunning()
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  })
}

function killRunning() {
  for (const worker of running) worker.kill()
}
