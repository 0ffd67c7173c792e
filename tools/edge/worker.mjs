import { randomUUID } from 'node:crypto'

/** @typedef {import('./routing.js').Share} Share */
/** @typedef {Record<string, string | undefined>} Annotations such as `workers/tag` and `workers/message` */
/** @typedef {{ type: string, name: string, text?: string, json?: unknown }} Binding in the API's form */
/** @typedef {{ name: string, kind: string, source: string | Uint8Array }} UploadedModule */

/**
 * @typedef {object} Upload
 * @property {UploadedModule[]} modules the entry first
 * @property {Binding[]} [bindings]
 * @property {string} compatibilityDate
 * @property {string[]} [compatibilityFlags]
 * @property {Annotations} [annotations]
 */

/**
 * @typedef {object} RunnableVersion what the runtime needs
 * @property {string} id
 * @property {string} created RFC 3339
 * @property {string} [tag]
 * @property {UploadedModule[]} [modules] undefined if the version can no longer be deployed
 * @property {Binding[]} bindings
 * @property {string} compatibilityDate
 * @property {string[]} [compatibilityFlags]
 */

/**
 * @typedef {object} ShownVersion a version as the API shows it
 * @property {string} id
 * @property {number} number
 * @property {{ created_on: string, modified_on: string, source: string, author_id: string, author_email: string, has_preview: boolean }} metadata
 * @property {Annotations} annotations
 * @property {ReturnType<typeof resources>} resources
 */

/** @typedef {{ shown: ShownVersion, runs: RunnableVersion }} Version */
/** @typedef {{ strategy?: string, versions: Share[], annotations?: Annotations }} DeploymentRequest */
/** @typedef {Required<DeploymentRequest> & { id: string, source: string, author_email: string, created_on: string }} Deployment */

/** A call that Cloudflare refuses. `code` is the API's error code. */
export class Refused extends Error {
  /** @param {string} message @param {{ status?: number, code?: number }} [options] */
  constructor(message, { status = 400, code = 10021 } = {}) {
    super(message)
    this.status = status
    this.code = code
  }
}

const MAX_VERSIONS_PER_DEPLOYMENT = 2
/** How many of the last versions can be deployed. */
export const DEPLOYABLE = 100
/** How many deployments the API lists. */
const LISTED = 10
const WHOLE = 100
// wrangler allows percentages with three decimals.
const EPSILON = 1e-3
/** The immutable id of a Worker at Cloudflare. */
export const WORKER_TAG = '0'.repeat(32)
const AUTHOR = { author_id: '0'.repeat(32), author_email: 'edge@example.com' }

/**
 * The versions and deployments of a Worker, in the shapes and by the rules of Cloudflare's API. It
 * does not know the runtime, and `now` is its only clock.
 */
export class Worker {
  /** @type {Version[]} */
  #versions = []
  /** @type {Deployment[]} */
  #deployments = []
  #now

  /** @param {string} name @param {{ now?: () => Date }} [options] */
  constructor(name, { now = () => new Date() } = {}) {
    this.name = name
    this.#now = now
  }

  /** Creates a version, to be passed to `keep`. @param {Upload} upload @returns {Version} */
  draft({ modules, bindings = [], compatibilityDate, compatibilityFlags, annotations = {} }) {
    const created = this.#now().toISOString()
    const id = randomUUID()
    const shown = {
      id,
      number: this.#versions.length + 1,
      metadata: { created_on: created, modified_on: created, source: 'wrangler', ...AUTHOR, has_preview: false },
      annotations: { ...defined(annotations), 'workers/triggered_by': 'version_upload' },
      resources: resources({ bindings, compatibilityDate }),
    }
    const tag = annotations['workers/tag']
    return { shown, runs: { id, created, tag, modules, bindings, compatibilityDate, compatibilityFlags } }
  }

  /** @param {Version} draft */
  keep(draft) {
    this.#versions.push(draft)
    // A version that is too old to be deployed and is not deployed needs no modules.
    for (const old of this.#versions.slice(0, -DEPLOYABLE)) {
      if (!this.#isDeployed(old.runs.id)) old.runs.modules = undefined
    }
    return draft.shown
  }

  /** @param {string} id */
  version(id) {
    const found = this.#versions.find(({ shown }) => shown.id === id)
    if (found) return found
    throw new Refused(`The requested Worker version could not be found: ${id}`, { status: 404, code: 10007 })
  }

  /** The versions that can be deployed, the newest first, without the members that only `versions view` shows. */
  deployable() {
    return this.#versions
      .slice(-DEPLOYABLE)
      .reverse()
      .map(({ shown: { resources: _, ...item } }) => item)
  }

  /** The last deployments, the newest first. */
  deployments() {
    return this.#deployments.slice(0, LISTED)
  }

  /** Checks a deployment by Cloudflare's rules, without making it. @param {DeploymentRequest} request @returns {Deployment} */
  plan({ strategy = 'percentage', versions, annotations = {} }) {
    if (strategy !== 'percentage') throw new Refused(`strategy: expected percentage, not ${strategy}`)
    checkShares(versions)
    for (const { version_id: id } of versions) this.#checkDeployable(id)
    return {
      id: randomUUID(),
      source: 'wrangler',
      strategy,
      author_email: AUTHOR.author_email,
      annotations: { ...defined(annotations), 'workers/triggered_by': 'deployment' },
      versions: versions.map(({ version_id, percentage }) => ({ version_id, percentage })),
      created_on: this.#now().toISOString(),
    }
  }

  /** @param {Deployment} deployment */
  deploy(deployment) {
    this.#deployments.unshift(deployment)
    return deployment
  }

  /** @param {string} id */
  #isDeployed = (id) => this.#deployments[0]?.versions.some(({ version_id: deployed }) => deployed === id)

  /** @param {string} id */
  #checkDeployable(id) {
    this.version(id)
    const recent = this.#versions.slice(-DEPLOYABLE).some(({ shown }) => shown.id === id)
    if (!recent) throw new Refused(`Version ${id} is not among the last ${DEPLOYABLE}, which can be deployed.`)
  }
}

/** @param {Share[]} versions */
function checkShares(versions) {
  if (!Array.isArray(versions) || versions.length === 0) throw new Refused('versions: expected at least one.')
  if (versions.length > MAX_VERSIONS_PER_DEPLOYMENT) {
    throw new Refused(`versions: expected at most ${MAX_VERSIONS_PER_DEPLOYMENT}.`)
  }
  const ids = new Set(versions.map(({ version_id: id }) => id))
  if (ids.size < versions.length) throw new Refused('versions: a version is named twice.')
  const total = versions.reduce((sum, { percentage }) => sum + percentage, 0)
  const inRange = (/** @type {Share} */ { percentage }) =>
    typeof percentage === 'number' && percentage >= 0 && percentage <= WHOLE
  if (!versions.every(inRange)) throw new Refused('percentage: expected a number from 0 to 100.')
  if (Math.abs(total - WHOLE) > EPSILON) throw new Refused(`percentages add up to ${total}, not ${WHOLE}.`)
}

/** The object without the members that are undefined or null. @template {object} T @param {T} object @returns {T} */
export const defined = (object) =>
  /** @type {T} */ (
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null))
  )

/** Removes the text of a secret. @param {Binding} binding @returns {Binding} */
const shownBinding = ({ text, ...binding }) =>
  binding.type === 'secret_text' || text === undefined ? binding : { ...binding, text }

/** @param {{ bindings: Binding[], compatibilityDate: string }} version */
const resources = ({ bindings, compatibilityDate }) => ({
  script: { etag: randomUUID().replaceAll('-', ''), handlers: ['fetch'], last_deployed_from: 'wrangler' },
  script_runtime: { compatibility_date: compatibilityDate, usage_model: 'standard' },
  bindings: bindings.map(shownBinding),
})
