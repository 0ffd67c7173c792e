// The CPU time of the whole process per request, for each variant under each load, interleaved.
// Two processes of the same Worker differ by 2 to 4 % for their whole life, because of the addresses
// of their code and data. Therefore each variant is started several times.
import { cpuTime, median } from './cpu.mjs'
import { Load } from './load.mjs'
import { startVariants } from './variants.mjs'
import { COMPARISONS, requests } from './workloads.mjs'

/** @param {string[]} pair a variant and a load */
const name = ([variant, load]) => `${variant} ${load}`

/** The pairs of a variant and a load that the comparisons need. */
function pairs() {
  const all = COMPARISONS.flatMap(({ ours, theirs }) => [ours, theirs])
  return [...new Map([...all, ['hello', 'slot']].map((pair) => [name(pair), pair])).values()]
}

async function round(loads, asked, measured, count) {
  const results = {}
  for (const pair of measured) {
    const [variant, load] = pair
    const { worker } = loads[variant]
    worker.kv.forget()
    const before = cpuTime(worker.pid)
    await loads[variant].run(asked[load], count)
    results[name(pair)] = { cpu: (cpuTime(worker.pid) - before) / count, reads: worker.kv.count() / count }
  }
  return results
}

/** Runs the rounds in one process of each variant, after `warm` requests of each kind. */
async function rounds(measured, { warm, each, count }) {
  const { workers, stop } = await startVariants([...new Set(measured.map(([variant]) => variant))])
  const asked = requests(workers.ours.digest)
  const loads = Object.fromEntries(Object.entries(workers).map(([variant, worker]) => [variant, new Load(worker)]))
  try {
    await round(loads, asked, measured, warm)
    const results = []
    for (let at = 0; at < each; at += 1) {
      results.push(await round(loads, asked, at % 2 === 0 ? measured : measured.toReversed(), count))
    }
    return results
  } finally {
    for (const load of Object.values(loads)) load.close()
    await stop()
  }
}

/**
 * Measures `{ comparisons: [{ what, cpu, reads, ratio, limit }], hello }`, the medians of all rounds:
 * `each` rounds of `count` requests in each of the `processes`.
 */
export async function measureWhole({ processes, warm, each, count }) {
  const measured = pairs()
  const results = []
  for (let at = 0; at < processes; at += 1) results.push(...(await rounds(measured, { warm, each, count })))
  const cpu = (pair) => median(results.map((result) => result[name(pair)].cpu))
  const comparisons = COMPARISONS.map(({ what, ours, theirs, times = 1, limit }) => ({
    what,
    limit,
    cpu: cpu(ours),
    reads: results[0][name(ours)].reads,
    ratio: median(results.map((result) => result[name(ours)].cpu / (times * result[name(theirs)].cpu))),
  }))
  return { comparisons, hello: cpu(['hello', 'slot']) }
}
