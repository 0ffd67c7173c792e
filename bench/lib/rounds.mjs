// Interleaved rounds: every variant gets the same requests right after the others, so that both
// sides of a ratio meet the same machine.
import { cpuTime, median } from './cpu.mjs'
import { Load } from './load.mjs'

/** @param {string[]} pair a variant and a load */
export const name = ([variant, load]) => `${variant} ${load}`

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

/**
 * Runs `each` rounds of `count` requests for every pair of a variant and a load, after `warm` requests of
 * each kind. Resolves to the rounds: the name of a pair → `{ cpu, reads }` per request, CPU in
 * microseconds.
 */
export async function rounds(workers, asked, measured, { warm, each, count }) {
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
  }
}

/** The median CPU time of a pair. */
export const medianCpu = (results, pair) => median(results.map((result) => result[name(pair)].cpu))

/** The median of the rounds' ratios of one pair to another. */
export const medianRatio = (results, ours, theirs, times = 1) =>
  median(results.map((result) => result[name(ours)].cpu / (times * result[name(theirs)].cpu)))
