import { randomUUID } from 'node:crypto'

/** A rule of Cloudflare's that a call breaks; `code` is the API's. */
export class Refused extends Error {
  constructor(message, { status = 400, code = 10021 } = {}) {
    super(message)
    Object.assign(this, { status, code })
  }
}

const MOST_IN_A_DEPLOYMENT = 2
/** The last so many versions can be deployed. */
export const DEPLOYABLE = 100
/** The API lists so many deployments. */
const LISTED = 10
const WHOLE = 100
// As wrangler allows: percentages have three decimals.
const EPSILON = 1e-3
/** The id that Cloudflare gives a Worker for life. */
export const WORKER_TAG = '0'.repeat(32)
const AUTHOR = { author_id: '0'.repeat(32), author_email: 'edge@example.com' }

/**
 * A Worker as Cloudflare keeps it: its versions and deployments, in the shapes of the API.
 * It knows no runtime and no clock but `now`.
 */
export class Worker {
  #versions = []
  #deployments = []
  #now

  constructor(name, { now = () => new Date() } = {}) {
    this.name = name
    this.#now = now
  }

  /** A version that can be given to `keep`: what runs, and how the API shows it. */
  draft({ modules, bindings, compatibilityDate, compatibilityFlags, annotations = {} }) {
    const created = this.#now().toISOString()
    const id = randomUUID()
    const shown = {
      id,
      number: this.#versions.length + 1,
      metadata: { created_on: created, modified_on: created, source: 'wrangler', ...AUTHOR, has_preview: false },
      annotations: { ...defined(annotations), 'workers/triggered_by': 'version_upload' },
      resources: resources({ bindings, compatibilityDate }),
    }
    const runs = {
      id,
      created,
      tag: annotations['workers/tag'],
      modules,
      bindings,
      compatibilityDate,
      compatibilityFlags,
    }
    return { shown, runs }
  }

  keep(draft) {
    this.#versions.push(draft)
    // What can't be deployed any more, and is not, is not needed either.
    for (const old of this.#versions.slice(0, -DEPLOYABLE)) {
      if (!this.#isDeployed(old.runs.id)) old.runs.modules = undefined
    }
    return draft.shown
  }

  version(id) {
    const found = this.#versions.find(({ shown }) => shown.id === id)
    if (found) return found
    throw new Refused(`The requested Worker version could not be found: ${id}`, { status: 404, code: 10007 })
  }

  /** Newest first, without what only `versions view` shows. */
  deployable() {
    return this.#versions
      .slice(-DEPLOYABLE)
      .reverse()
      .map(({ shown: { resources: _, ...item } }) => item)
  }

  /** Newest first. */
  deployments() {
    return this.#deployments.slice(0, LISTED)
  }

  /** Checks a deployment by the platform's rules, without making it. */
  plan({ strategy = 'percentage', versions, annotations = {} }) {
    if (strategy !== 'percentage') throw new Refused(`strategy: percentage, not ${strategy}`)
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

  deploy(deployment) {
    this.#deployments.unshift(deployment)
    return deployment
  }

  #isDeployed = (id) => this.#deployments[0]?.versions.some(({ version_id: deployed }) => deployed === id)

  #checkDeployable(id) {
    this.version(id)
    const recent = this.#versions.slice(-DEPLOYABLE).some(({ shown }) => shown.id === id)
    if (!recent) throw new Refused(`Version ${id} is not among the last ${DEPLOYABLE}, which can be deployed.`)
  }
}

function checkShares(versions) {
  if (!Array.isArray(versions) || versions.length === 0) throw new Refused('versions: at least one.')
  if (versions.length > MOST_IN_A_DEPLOYMENT) throw new Refused(`versions: at most ${MOST_IN_A_DEPLOYMENT}.`)
  if (new Set(versions.map(({ version_id: id }) => id)).size < versions.length)
    throw new Refused('versions: one is there twice.')
  const total = versions.reduce((sum, { percentage }) => sum + percentage, 0)
  const inRange = ({ percentage }) => typeof percentage === 'number' && percentage >= 0 && percentage <= WHOLE
  if (!versions.every(inRange)) throw new Refused('percentage: a number from 0 to 100.')
  if (Math.abs(total - WHOLE) > EPSILON) throw new Refused(`percentages add up to ${total}, not ${WHOLE}.`)
}

/** Without the members that say nothing. */
export const defined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null))

/** A secret's text is never shown. */
const shownBinding = ({ text, ...binding }) =>
  binding.type === 'secret_text' || text === undefined ? binding : { ...binding, text }

const resources = ({ bindings = [], compatibilityDate }) => ({
  script: { etag: randomUUID().replaceAll('-', ''), handlers: ['fetch'], last_deployed_from: 'wrangler' },
  script_runtime: { compatibility_date: compatibilityDate, usage_model: 'standard' },
  bindings: bindings.map(shownBinding),
})
