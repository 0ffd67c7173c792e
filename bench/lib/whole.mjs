// The CPU time of the whole process per request, for each variant under each load, interleaved.
// Two processes of the same Worker differ by 2 to 4 % for their whole life, because of the addresses
// of their code and data. Therefore each variant is started several times.
import { medianCpu, medianRatio, name, rounds } from './rounds.mjs'
import { startVariants } from './variants.mjs'
import { COMPARISONS, requests } from './workloads.mjs'

/** The pairs of a variant and a load that the comparisons need. */
function pairs() {
  const all = COMPARISONS.flatMap(({ ours, theirs }) => [ours, theirs])
  return [...new Map([...all, ['hello', 'slot']].map((pair) => [name(pair), pair])).values()]
}

/** Runs the rounds in one process of each variant. */
async function run(measured, settings) {
  const { workers, stop } = await startVariants([...new Set(measured.map(([variant]) => variant))])
  try {
    return await rounds(workers, requests(workers.ours.digest), measured, settings)
  } finally {
    await stop()
  }
}

/**
 * Measures `{ comparisons: [{ what, cpu, reads, ratio, limit }], hello }`, the medians of all rounds:
 * `each` rounds of `count` requests in each of the `processes`.
 */
export async function measureWhole({ processes, ...settings }) {
  const measured = pairs()
  const results = []
  for (let at = 0; at < processes; at += 1) results.push(...(await run(measured, settings)))
  const comparisons = COMPARISONS.map(({ what, ours, theirs, times, limit }) => ({
    what,
    limit,
    cpu: medianCpu(results, ours),
    reads: results[0][name(ours)].reads,
    ratio: medianRatio(results, ours, theirs, times),
  }))
  return { comparisons, hello: medianCpu(results, ['hello', 'slot']) }
}
