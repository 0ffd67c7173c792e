// CPU time of the whole workerd process and reads of KV per request, for our
// Worker and a JavaScript baseline, interleaved in one run. `--quick` does less.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { cpus } from 'node:os'

import { startWorker } from '../tests/worker/harness/workerd.mjs'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 5 : 21
const REQUESTS = quick ? 400 : 1500
const IN_FLIGHT = 8

const vectors = JSON.parse(readFileSync(new URL('../tests/vectors/http/answers.json', import.meta.url)))
const slot = '/components/prompts/extraction@production'
const digest = vectors.kv.SLOTS['prompts/extraction@production'].targets[0].digest

const WORKLOADS = [
  { name: 'slot, content in memory', path: slot, status: 200, baseline: true },
  { name: 'slot, 304', path: slot, headers: { 'if-none-match': `"${digest}"` }, status: 304, baseline: true },
  { name: 'exact version in memory', path: '/components/prompts/extraction@v1.0.0', status: 200 },
  { name: 'unknown slot, 404', path: '/components/prompts/extraction@nowhere', status: 404 },
]

function load(kv) {
  for (const [namespace, values] of Object.entries(vectors.kv)) {
    for (const [key, value] of Object.entries(values)) {
      const bytes = value.$base64 ? Buffer.from(value.$base64, 'base64') : value
      const text = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? bytes : JSON.stringify(bytes)
      kv.put(namespace, key, Buffer.from(text))
    }
  }
}

/** User and system time of a process in microseconds. */
function cpuTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return (ticks * 1e6) / TICKS
}

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT })

function request(worker, { path, headers, status }) {
  return new Promise((resolve, reject) => {
    const sent = http.get(worker.url + path, { headers, agent }, (answer) => {
      answer.resume()
      answer.on('end', () => {
        if (answer.statusCode === status) resolve()
        else reject(new Error(`${path}: ${answer.statusCode} in place of ${status}`))
      })
    })
    sent.on('error', reject)
  })
}

async function run(worker, workload, count) {
  let left = count
  const lane = async () => {
    while (left-- > 0) await request(worker, workload)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
}

async function measure(worker, workload) {
  worker.kv.forget()
  const before = cpuTime(worker.pid)
  await run(worker, workload, REQUESTS)
  const cpu = (cpuTime(worker.pid) - before) / REQUESTS
  return { cpu, reads: worker.kv.count() / REQUESTS }
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

async function compare(workload, ours, theirs) {
  const workers = workload.baseline ? [ours, theirs] : [ours]
  for (const worker of workers) await run(worker, workload, REQUESTS)
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const results = []
    for (const worker of workers) results.push(await measure(worker, workload))
    rounds.push(results)
  }
  const cpu = median(rounds.map(([one]) => one.cpu))
  const ratio = theirs && workload.baseline ? median(rounds.map(([a, b]) => a.cpu / b.cpu)) : undefined
  return { name: workload.name, cpu, ratio, reads: rounds[0][0].reads }
}

const baseline = readFileSync(new URL('baselines/pointer.mjs', import.meta.url), 'utf8')
const ours = await startWorker()
const theirs = await startWorker({ modules: [{ name: 'pointer.mjs', source: baseline }] })
for (const worker of [ours, theirs]) load(worker.kv)

const today = new Date().toISOString().slice(0, 10)
const rounds = `${ROUNDS} interleaved rounds of ${REQUESTS} requests`
console.log(`raw workerd, ${cpus()[0].model}, ${cpus().length} cores, ${today}; ${rounds}, medians\n`)
console.log('| request | CPU of the process, µs | of the JavaScript baseline | reads of KV |')
console.log('| --- | --- | --- | --- |')
for (const workload of WORKLOADS) {
  const { name, cpu, ratio, reads } = await compare(workload, ours, theirs)
  console.log(`| ${name} | ${cpu.toFixed(0)} | ${ratio?.toFixed(2) ?? ''} | ${reads.toFixed(2)} |`)
}
agent.destroy()
await Promise.all([ours.stop(), theirs.stop()])
