import { within } from './within.js'

/**
 * Counts a caller `count` times. Resolves to false if one of these exceeds its limit, and to true if
 * the limiter fails or takes longer than `patience` milliseconds, which is logged.
 */
export async function admits(limiter, key, count, patience, scriptVersion) {
  // The binding has no way to count several at once.
  const counted = async () => Promise.all(Array.from({ length: count }, () => limiter.limit({ key })))
  const outcomes = await within(counted(), patience)
  if (Array.isArray(outcomes)) return outcomes.every((outcome) => outcome?.success !== false)
  console.log(JSON.stringify({ rateLimiter: outcomes.message, scriptVersion }))
  return true
}
