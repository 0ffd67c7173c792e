// The first response of a cold isolate: the time from the start of its process until it listens, the
// time of the first request, and the CPU time of the hundred requests after it.
import { cpuTime, median } from './cpu.mjs'
import { startVariants } from './variants.mjs'
import { requests } from './workloads.mjs'

const VARIANTS = ['ours', 'pointer']

async function once(name) {
  const { workers, stop } = await startVariants([name])
  try {
    const worker = workers[name]
    const request = requests(worker.digest).slot
    const ask = () => worker.rawRequest(request)
    const listening = performance.now()
    await ask()
    const answered = performance.now()
    const wall = answered - worker.began
    const first = { wall, answer: answered - listening, cpu: cpuTime(worker.pid) / 1000 }
    const before = cpuTime(worker.pid)
    for (let at = 0; at < 100; at += 1) await ask()
    return { ...first, warm: (cpuTime(worker.pid) - before) / 100 }
  } finally {
    await stop()
  }
}

/**
 * Measures the medians of each variant in ms: `wall` and `cpu` from the start of the process to the
 * first response, `answer` of the request itself; `warm` in µs per request. `ratio` and `answerRatio` are
 * relative to the baseline.
 */
export async function measureCold({ rounds }) {
  const results = { ours: [], pointer: [] }
  for (let at = 0; at < rounds; at += 1) for (const name of VARIANTS) results[name].push(await once(name))
  const of = (name, member) => median(results[name].map((result) => result[member]))
  const against = (member) => median(results.ours.map((result, at) => result[member] / results.pointer[at][member]))
  const members = ['wall', 'answer', 'cpu', 'warm']
  const all = VARIANTS.map((name) => [name, Object.fromEntries(members.map((member) => [member, of(name, member)]))])
  return { ...Object.fromEntries(all), ratio: against('wall'), answerRatio: against('answer') }
}
