import { readdirSync, readFileSync } from 'node:fs'

/** The CPU time of all threads of a process in microseconds, from Linux. */
export function cpuTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((thread) => {
    const [onCore] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return Number(onCore)
  })
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1000
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
