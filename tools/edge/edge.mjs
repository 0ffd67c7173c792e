import { readdirSync } from 'node:fs'

import { serveApi } from './api.mjs'
import { FrontProxy } from './proxy.mjs'
import { BINDINGS, modulesOf, startRuntime } from './runtime.mjs'
import { defined, Refused, Worker } from './worker.mjs'

/** @typedef {import('./routing.js').State} State */
/** @typedef {import('./runtime.mjs').Kv} Kv */
/** @typedef {import('./runtime.mjs').Vars} Vars */
/** @typedef {import('./worker.mjs').Binding} Binding */
/** @typedef {Awaited<ReturnType<typeof startRuntime>>} Runtime */

/**
 * @typedef {object} EdgeOptions
 * @property {string} worker the Worker's name
 * @property {Kv} kv where the versions read their KV
 * @property {{ bindings: Binding[], compatibilityDate: string, compatibilityFlags?: string[] }} defaults for an upload without them
 * @property {Vars} [vars] bound to every version that has no bindings of these names
 * @property {number} [spread] how many milliseconds a deployment takes to reach every request
 * @property {number} [port] of the public address; 0, the default, uses any free one
 * @property {number} [apiPort] of the API; 0, the default, uses any free one
 */

/**
 * @typedef {Partial<import('./worker.mjs').Upload> & { build?: string, tag?: string, message?: string }} UploadOptions
 *   `build` is the folder of a build, in place of `modules`
 */

/**
 * Starts Cloudflare's edge for one Worker on this machine.
 *
 * @param {EdgeOptions} options
 */
export async function startEdge({ worker, kv, defaults, vars = {}, spread = 0, port = 0, apiPort = 0 }) {
  const edge = new Edge(new Worker(worker), { kv, defaults, vars, spread })
  await edge.start(port, apiPort)
  return edge
}

class Edge {
  /** The public address. */
  url = ''
  /** The base address of the API. */
  apiUrl = ''
  #proxy = new FrontProxy()
  /** @type {Awaited<ReturnType<typeof serveApi>> | undefined} */
  #api
  #options
  /** @type {Runtime | undefined} */
  #runtime
  /** @type {State[]} */
  #states = []
  #stopped = false
  // Calls of the API run one after the other: a deployment may have to start a workerd.
  /** @type {Promise<unknown>} */
  #last = Promise.resolve()
  #onEnded = () => {}

  /** @param {Worker} worker @param {{ kv: Kv, defaults: EdgeOptions['defaults'], vars: Vars, spread: number }} options */
  constructor(worker, options) {
    this.worker = worker
    this.#options = options
    /** Resolves when the edge has ended, for whatever reason. */
    this.ended = new Promise((resolve) => {
      this.#onEnded = () => resolve(undefined)
    })
  }

  /** @param {number} port @param {number} apiPort */
  async start(port, apiPort) {
    this.url = await this.#proxy.listen(port)
    this.#api = await serveApi(this, apiPort)
    this.apiUrl = this.#api.url
    await this.#queue(() => this.#switchTo([]))
  }

  /**
   * Keeps a version, if it starts. No request reaches it before it is deployed. Resolves to the
   * version as the API shows it.
   *
   * @param {UploadOptions} options
   */
  upload({ build, tag, message, ...upload }) {
    const asked = {
      modules: build ? modulesOf(build, readdirSync(build)) : [],
      annotations: { 'workers/tag': tag, 'workers/message': message },
      ...this.#options.defaults,
      ...defined(upload),
    }
    checkBindings(asked.bindings, this.#options.kv)
    return this.#queue(async () => {
      const draft = this.worker.draft(asked)
      await this.#tryOut(draft.runs)
      return this.worker.keep(draft)
    })
  }

  /**
   * Makes a deployment.
   *
   * @param {[id: string, percentage: number][]} shares @param {{ message?: string }} [options]
   */
  deploy(shares, { message } = {}) {
    const versions = shares.map(([version_id, percentage]) => ({ version_id, percentage }))
    return this.createDeployment({ versions, annotations: { 'workers/message': message } })
  }

  /** Makes a deployment from the body of an API request. @param {import('./worker.mjs').DeploymentRequest} request */
  createDeployment(request) {
    return this.#queue(async () => {
      const deployment = this.worker.plan(request)
      const { versions } = deployment
      const before = this.#stillMet()
      // The first deployment applies to all requests immediately.
      const since = before.length === 0 ? 0 : Date.now()
      await this.#switchTo([{ since, versions }, ...before])
      return this.worker.deploy(deployment)
    })
  }

  /** The deployments that may apply to a request, the newest first. The last one has reached every location. */
  #stillMet() {
    const everywhere = this.#states.findIndex(({ since }) => Date.now() - since >= this.#options.spread)
    return everywhere < 0 ? this.#states : this.#states.slice(0, everywhere + 1)
  }

  async stop() {
    this.#stopped = true
    await this.#last
    await this.#api?.stop()
    await this.#proxy.stop()
    await this.#runtime?.stop()
    this.#onEnded()
  }

  /** Runs an action after the previous ones. @template T @param {() => Promise<T>} action @returns {Promise<T>} */
  #queue(action) {
    const done = this.#last.then(action)
    this.#last = done.catch(() => {})
    return done
  }

  /** Applies the deployments in the current workerd, or in a new one if that lacks a version. @param {State[]} states */
  async #switchTo(states) {
    const ids = [...new Set(states.flatMap(({ versions }) => versions.map(({ version_id: id }) => id)))]
    const old = this.#runtime
    const next =
      old && ids.every(old.has) ? old : await this.#startRuntime(ids.map((id) => this.worker.version(id).runs))
    await next.update({ deployments: states, spread: this.#options.spread })
    this.#states = states
    this.#runtime = next
    this.#proxy.use(next.url)
    if (old && old !== next) this.#proxy.leave(old.url).then(() => old.stop())
  }

  /** @param {import('./worker.mjs').RunnableVersion[]} versions */
  async #startRuntime(versions) {
    const { kv, vars } = this.#options
    const runtime = await startRuntime({ worker: this.worker.name, versions, kv, vars })
    runtime.ended.then(() => {
      if (runtime === this.#runtime && !this.#stopped) this.#onEnded()
    })
    return runtime
  }

  /** @param {import('./worker.mjs').RunnableVersion} version */
  async #tryOut(version) {
    try {
      await (await this.#startRuntime([version])).stop()
    } catch (error) {
      throw new Refused(`The version does not start. ${error instanceof Error ? error.message : error}`)
    }
  }
}

/** @param {Binding[]} bindings @param {Kv} kv */
function checkBindings(bindings, { namespaces }) {
  for (const { type, name } of bindings) {
    if (!Object.hasOwn(BINDINGS, type)) throw new Refused(`binding ${name}: the local edge does not support ${type}.`)
    if (type === 'kv_namespace' && !namespaces.includes(name)) {
      throw new Refused(`binding ${name}: the local edge has the KV namespaces ${namespaces.join(', ')}.`)
    }
  }
}

/** @typedef {InstanceType<typeof Edge>} LocalEdge */
