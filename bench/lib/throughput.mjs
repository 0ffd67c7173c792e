// Requests per second and latencies with wrk, if it is installed. The KV service runs in this
// process, so only the ratios are meaningful.
import { spawn } from 'node:child_process'

import { startVariants } from './variants.mjs'
import { requests } from './workloads.mjs'

function wrk(url, seconds) {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', ['-t1', '-c16', `-d${seconds}s`, '--latency', url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve(text) : reject(new Error(`wrk ended with ${code}`))))
  })
}

const figure = (text, pattern) => pattern.exec(text)?.[1] ?? '?'

/** Measures `[{ name, rate, p50, p99 }]`; an empty list if wrk is not installed. */
export async function measureThroughput({ seconds }) {
  const { workers, stop } = await startVariants(['ours', 'pointer', 'optimised'])
  try {
    const results = []
    for (const [name, worker] of Object.entries(workers)) {
      const text = await wrk(worker.url + requests(worker.digest).slot.path, seconds)
      if (/Non-2xx/.test(text)) throw new Error(`${name}: ${text}`)
      const rate = Math.round(Number(figure(text, /Requests\/sec:\s+([\d.]+)/)))
      results.push({ name, rate, p50: figure(text, /50%\s+(\S+)/), p99: figure(text, /99%\s+(\S+)/) })
    }
    return results
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  } finally {
    await stop()
  }
}
