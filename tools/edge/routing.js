import { parseDictionary } from 'structured-headers'

/** @typedef {{ version_id: string, percentage: number }} Share a version and its percentage of the traffic */
/** @typedef {{ since: number, versions: Share[] }} State a deployment, and when it was made in milliseconds */
/** @typedef {() => number} Draw gives a random number from 0 up to 1 */

/**
 * The version that answers a request. An override selects a version of this deployment, even at
 * 0 %; otherwise the key decides; otherwise chance.
 *
 * @param {Share[]} deployment at most two versions
 * @param {{ worker: string, overrides?: string | null, key?: string | null, draw: Draw }} request
 */
export async function route(deployment, { worker, overrides, key, draw }) {
  const forced = overridden(worker, overrides)
  const named = deployment.find(({ version_id: id }) => id === forced)
  if (named) return named
  const point = key ? await pointOf(key) : draw()
  return at(deployment, point)
}

/**
 * The version id that a request asks of this Worker. The header is a Dictionary (RFC 9651): its
 * keys are Workers' names, its values are Strings. A header that does not parse is ignored, and so
 * is a member that is not a String.
 *
 * @param {string} worker @param {string | null} [header]
 */
function overridden(worker, header) {
  if (!header) return undefined
  try {
    const [value] = parseDictionary(header).get(worker) ?? []
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Hashes a key to a point from 0 up to 1. The point depends on nothing but the key: while a
 * version's percentage grows, it only gains keys.
 *
 * @param {string} key
 */
async function pointOf(key) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return new DataView(digest).getUint32(0) / 2 ** 32
}

/** The version whose range of the percentages contains the point. @param {Share[]} deployment @param {number} point */
function at(deployment, point) {
  let upper = 0
  const found = deployment.find(({ percentage }) => {
    upper += percentage
    return upper > point * 100
  })
  // Rounded percentages may add up to slightly less than 100.
  return found ?? deployment.findLast(({ percentage }) => percentage > 0)
}

/**
 * The deployment that applies to a request. A deployment reaches one location after the other: for
 * `spread` milliseconds it applies to a growing share of the requests, and the previous one to the
 * others.
 *
 * @param {State[]} deployments the newest first
 * @param {{ now: number, spread: number, draw: Draw }} options
 */
export function met(deployments, { now, spread, draw }) {
  const applies = (/** @type {State} */ { since }) => now - since >= spread || draw() * spread < now - since
  return deployments.find(applies) ?? deployments.at(-1)
}
