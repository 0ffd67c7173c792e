import { readdirSync } from 'node:fs'

import { serveApi } from './api.mjs'
import { FrontProxy } from './proxy.mjs'
import { BINDINGS, modulesOf, startRuntime } from './runtime.mjs'
import { defined, Refused, Worker } from './worker.mjs'

/**
 * Cloudflare's edge for one Worker, on this machine: `{ url, apiUrl, upload, deploy, stop, … }`.
 *
 * `worker` is the Worker's name; `kv` is `{ address, namespaces }`, a server that workerd
 * reads its KV from; `defaults` are the `bindings` and the `compatibilityDate` of a version
 * that is uploaded without them; `vars` are bound to every version that does not bind them
 * itself; a deployment takes `spread` milliseconds to reach every request. Port 0 is any free one.
 */
export async function startEdge({ worker, kv, defaults, vars = {}, spread = 0, port = 0, apiPort = 0 }) {
  const edge = new Edge(new Worker(worker), { kv, defaults, vars, spread })
  edge.url = await edge.proxy.listen(port)
  edge.api = await serveApi(edge, apiPort)
  edge.apiUrl = edge.api.url
  await edge.begin()
  return edge
}

class Edge {
  proxy = new FrontProxy()
  #options
  #runtime
  #states = []
  #stopped = false
  // Calls of the API take turns: a deployment may have to start a workerd.
  #turn = Promise.resolve()

  constructor(worker, options) {
    this.worker = worker
    this.#options = options
    this.ended = new Promise((resolve) => (this.#onEnded = resolve))
  }

  #onEnded

  begin() {
    return this.#inTurn(() => this.#switchTo([]))
  }

  /**
   * Keeps a version, after a look whether it starts; nobody gets it before it is deployed. Gives
   * it as the API shows it. `build` is the folder of a build, in place of `modules`.
   */
  upload({ build, tag, message, ...upload }) {
    const asked = {
      modules: build && modulesOf(build, readdirSync(build)),
      annotations: { 'workers/tag': tag, 'workers/message': message },
      ...this.#options.defaults,
      ...defined(upload),
    }
    checkBindings(asked.bindings, this.#options.kv)
    return this.#inTurn(async () => {
      const draft = this.worker.draft(asked)
      await this.#tryOut(draft.runs)
      return this.worker.keep(draft)
    })
  }

  /** Makes a deployment of `[[version id, percentage], …]`. */
  deploy(shares, { message } = {}) {
    const versions = shares.map(([version_id, percentage]) => ({ version_id, percentage }))
    return this.createDeployment({ versions, annotations: { 'workers/message': message } })
  }

  /** Makes a deployment as the API is asked for it. */
  createDeployment(asked) {
    return this.#inTurn(async () => {
      const deployment = this.worker.plan(asked)
      const { versions } = deployment
      const before = this.#stillMet()
      // Before the first one there is nothing that requests could meet meanwhile.
      const since = before.length === 0 ? 0 : Date.now()
      await this.#switchTo([{ since, versions }, ...before])
      return this.worker.deploy(deployment)
    })
  }

  /** The deployments that some request may meet, newest first: up to one that has reached everybody. */
  #stillMet() {
    const everywhere = this.#states.findIndex(({ since }) => Date.now() - since >= this.#options.spread)
    return everywhere < 0 ? this.#states : this.#states.slice(0, everywhere + 1)
  }

  async stop() {
    this.#stopped = true
    await this.#turn
    await this.api.stop()
    await this.proxy.stop()
    await this.#runtime?.stop()
    this.#onEnded()
  }

  #inTurn(action) {
    const done = this.#turn.then(action)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Tells the deployments to the workerd that runs, or to a new one where that lacks a version. */
  async #switchTo(states) {
    const ids = [...new Set(states.flatMap(({ versions }) => versions.map(({ version_id: id }) => id)))]
    const old = this.#runtime
    const next = old && ids.every(old.has) ? old : await this.#start(ids.map((id) => this.worker.version(id).runs))
    await next.tell({ deployments: states, spread: this.#options.spread })
    this.#states = states
    this.#runtime = next
    this.proxy.use(next.url)
    if (old && old !== next) this.proxy.leave(old.url).then(() => old.stop())
  }

  async #start(versions) {
    const { kv, vars } = this.#options
    const runtime = await startRuntime({ worker: this.worker.name, versions, kv, vars })
    runtime.ended.then(() => {
      if (runtime === this.#runtime && !this.#stopped) this.#onEnded()
    })
    return runtime
  }

  async #tryOut(version) {
    try {
      await (await this.#start([version])).stop()
    } catch (error) {
      throw new Refused(`The version does not start. ${error.message}`)
    }
  }
}

function checkBindings(bindings = [], { namespaces }) {
  for (const { type, name } of bindings) {
    if (!Object.hasOwn(BINDINGS, type)) throw new Refused(`binding ${name}: the local edge has no ${type}.`)
    if (type === 'kv_namespace' && !namespaces.includes(name)) {
      throw new Refused(`binding ${name}: the local edge has the KV namespaces ${namespaces.join(', ')}.`)
    }
  }
}
