// CPU time of the whole process per request, each variant under each load, interleaved.
import { cpuTime, median } from './cpu.mjs'
import { Load } from './load.mjs'
import { startVariants } from './variants.mjs'
import { COMPARISONS, requests } from './workloads.mjs'

const name = ([variant, load]) => `${variant} ${load}`

/** All pairs of a variant and a load that some comparison needs. */
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

/** `{ comparisons: [{ what, cpu, reads, ratio, limit }], hello }`, medians of the rounds. */
export async function measureWhole({ rounds, count }) {
  const measured = pairs()
  const { workers, stop } = await startVariants([...new Set(measured.map(([variant]) => variant))])
  const asked = requests(workers.ours.digest)
  const loads = Object.fromEntries(Object.entries(workers).map(([variant, worker]) => [variant, new Load(worker)]))
  try {
    await round(loads, asked, measured, count)
    const results = []
    for (let at = 0; at < rounds; at += 1) results.push(await round(loads, asked, measured, count))
    const cpu = (pair) => median(results.map((result) => result[name(pair)].cpu))
    const comparisons = COMPARISONS.map(({ what, ours, theirs, times = 1, limit }) => ({
      what,
      limit,
      cpu: cpu(ours),
      reads: results[0][name(ours)].reads,
      ratio: median(results.map((result) => result[name(ours)].cpu / (times * result[name(theirs)].cpu))),
    }))
    return { comparisons, hello: cpu(['hello', 'slot']) }
  } finally {
    for (const load of Object.values(loads)) load.close()
    await stop()
  }
}
