import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

/** The allowed differences from a release's answers; `../README.md` describes an entry. */
export const differences = JSON.parse(readFileSync(new URL('../differences.json', import.meta.url), 'utf8'))

/** The entries that were needed. */
export const needed = new Set()

/**
 * Two answers to a request without the parts that may differ between them.
 *
 * @returns {[before: any, after: any]}
 */
export function compared({ path }, old, now, entries = differences) {
  /** @type {[any, any]} */
  let pair = [old, now]
  const concerns = ({ path: pattern, before = old.status, status = now.status }) =>
    new RegExp(pattern).test(path) && before === old.status && status === now.status
  for (const entry of entries.filter(concerns)) {
    const [before, after] = pair.map((answer) => partOf(answer, entry))
    if (isDeepStrictEqual(before, after)) continue
    needed.add(entry)
    pair = [without(pair[0], entry), without(pair[1], entry)]
  }
  return pair
}

function partOf(answer, { header, member, order }) {
  if (header) return answer.headers?.[header]
  if (order) return answer.body
  return member ? valuesOf(parsed(answer), member) : answer
}

function without(answer, { header, member, order }) {
  if (header) return { ...answer, headers: omit(answer.headers, [header]) }
  if (!member && !order) return {}
  const json = parsed(answer)
  if (json === undefined) return answer
  // The digest depends on the body, and the length on the members.
  const headers = omit(answer.headers, member ? ['content-length', 'etag'] : ['etag'])
  return { ...answer, headers, body: member ? withoutMember(json, member) : json }
}

/** The values of a member in all objects of a JSON value. */
function valuesOf(json, member) {
  if (json === null || typeof json !== 'object') return []
  return Object.entries(json).flatMap(([name, value]) => (name === member ? [value] : valuesOf(value, member)))
}

/** A JSON value whose objects do not have the member. */
function withoutMember(json, member) {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map((value) => withoutMember(value, member))
  const kept = Object.entries(json).filter(([name]) => name !== member)
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutMember(value, member)]))
}

const omit = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

function parsed({ headers, body }) {
  if (typeof body !== 'string') return body?.$base64 === undefined ? body : undefined
  // A response to HEAD has a type but no body.
  return body && /json/.test(headers['content-type'] ?? '') ? JSON.parse(body) : undefined
}
