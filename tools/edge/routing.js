import { parseDictionary } from 'structured-headers'

/**
 * The version that answers a request: `{ version_id, percentage }` of `deployment`, a list
 * of at most two of these.
 *
 * An override of a version of this deployment wins, at 0 % too; then the key; then chance.
 * `draw` gives a number from 0 up to 1.
 */
export async function route(deployment, { worker, overrides, key, draw }) {
  const forced = overridden(worker, overrides)
  const named = deployment.find(({ version_id: id }) => id === forced)
  if (named) return named
  const point = key ? await pointOf(key) : draw()
  return at(deployment, point)
}

/**
 * The version id that a request asks of this Worker. The header is a Dictionary of RFC 9651
 * whose keys are Workers' names and whose values are Strings; as a whole it is ignored where
 * it does not parse, and a member where it is anything but a String.
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
 * Where a key stands, from 0 up to 1. It depends on nothing but the key, so that in versions
 * of the same order the one that grows only ever gains keys.
 */
async function pointOf(key) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return new DataView(digest).getUint32(0) / 2 ** 32
}

/** The first version whose share, with those before it, reaches beyond the point. */
function at(deployment, point) {
  let reached = 0
  const found = deployment.find(({ percentage }) => {
    reached += percentage
    return reached > point * 100
  })
  // Three thirds may add up to a little less than all.
  return found ?? deployment.findLast(({ percentage }) => percentage > 0)
}

/**
 * The deployment that a request meets: `{ since, versions }`, of a list with the newest first.
 * A deployment reaches one location after the other: for `spread` milliseconds a growing share
 * of the requests meets it, the others still what was before.
 */
export function met(deployments, { now, spread, draw }) {
  const reached = ({ since }) => now - since >= spread || draw() * spread < now - since
  return deployments.find(reached) ?? deployments.at(-1)
}
