// The first answer of a cold isolate: from the start of its process to the answer, and
// the CPU of the hundred requests after it.
import { cpuTime, median } from './cpu.mjs'
import { startVariants } from './variants.mjs'
import { requests } from './workloads.mjs'

const VARIANTS = ['ours', 'pointer']

async function once(name) {
  const began = performance.now()
  const { workers, stop } = await startVariants([name])
  try {
    const worker = workers[name]
    const request = requests(worker.digest).slot
    const ask = () => worker.rawRequest(request)
    await ask()
    const first = { wall: performance.now() - began, cpu: cpuTime(worker.pid) / 1000 }
    const before = cpuTime(worker.pid)
    for (let at = 0; at < 100; at += 1) await ask()
    return { ...first, then: (cpuTime(worker.pid) - before) / 100 }
  } finally {
    await stop()
  }
}

/** Medians, by variant: `wall` and `cpu` of the first answer in ms, `then` in µs a request. */
export async function measureCold({ rounds }) {
  const results = { ours: [], pointer: [] }
  for (let at = 0; at < rounds; at += 1) for (const name of VARIANTS) results[name].push(await once(name))
  const of = (name, member) => median(results[name].map((result) => result[member]))
  const ratio = median(results.ours.map(({ wall }, at) => wall / results.pointer[at].wall))
  const members = ['wall', 'cpu', 'then']
  const all = VARIANTS.map((name) => [name, Object.fromEntries(members.map((member) => [member, of(name, member)]))])
  return { ...Object.fromEntries(all), ratio }
}
