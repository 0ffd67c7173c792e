// Measures a Worker's memory over a million distinct requests for more components than fit into it.
// It uses the loopback interface only: npm run bench:memory [-- --requests 1000000]

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import http from 'node:http'

import '../scripts/lib/check-node.mjs'
import { parseOptions } from '../scripts/lib/args.mjs'
import { duration, log, main, UserError } from '../scripts/lib/cli.mjs'
import { startInspected } from './inspected.mjs'

/** @satisfies {import('../scripts/lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run bench:memory -- [--requests 1000000]',
  about: 'Measure the memory of a Worker over many distinct requests',
  options: { requests: { type: 'string', default: '1000000', help: 'The number of requests, at least 1000' } },
}
const COMPONENTS = 10_000
const MIB = 1024 * 1024
const CONTENT_MEMORY = 16 * MIB
/** The sum of all bounds: contents, the last good records and the fast lane. */
const BOUND = CONTENT_MEMORY / MIB + 4 + 8
const AT_ONCE = 32
// After this share of the requests every bound has been reached, so any increase is growth.
const WARM = 0.1
const STEPS = 10

const sha = 'dac23bda14820e5b79aa3328b0c5a597521fa03c'
const date = '2026-11-20T10:00:00Z'

/** The size of a content: 2 to 50 KB. */
const sizeOf = (at) => 2_000 + ((at * 7919) % 48_001)

function fill(kv) {
  for (let at = 0; at < COMPONENTS; at += 1) {
    const content = `component ${at}\n`.padEnd(sizeOf(at), 'x')
    const digest = createHash('sha256').update(content).digest('hex')
    const snapshot = { version: 'v1.0.0', digest, size: sizeOf(at), type: 'text/plain', sha, date }
    const target = { slot: 'production', ...snapshot, weight: 100_000 }
    const record = { format: 1, ...snapshot, author: 'Ada', path: 'a.txt' }
    kv.put('SLOTS', `prompts/c${at}@production`, JSON.stringify({ format: 1, slot: 'production', targets: [target] }))
    kv.put('COMPONENTS', `prompts/c${at}@v1.0.0`, JSON.stringify(record))
    kv.put('COMPONENTS', `sha256/${digest}`, content)
  }
}

// Visits all components before it repeats one.
const component = (at) => `/components/prompts/c${(at * 7919) % COMPONENTS}`

/** Slots and versions, half of each by the fast lane; one in ten does not exist. */
function pathOf(at) {
  if (at % 10 === 9) return `/components/prompts/none${at}@production`
  const ref = at % 2 === 0 ? 'production' : 'v1.0.0'
  return `${component(at)}@${ref}${at % 4 < 2 ? '' : `?key=caller-${at}`}`
}

const expected = (at) => (at % 10 === 9 ? 404 : 200)

function residentMiB(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(stdout) / 1024
}

function ask(worker, agent, at) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${worker.url}${pathOf(at)}`, { agent }, (response) => {
      if (response.statusCode !== expected(at)) reject(new UserError(`${pathOf(at)}: ${response.statusCode}`))
      response.resume().on('end', resolve)
    })
    request.on('error', reject)
  })
}

async function requests(worker, agent, from, to) {
  let next = from
  const one = async () => {
    while (next < to) await ask(worker, agent, next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  worker.kv.forget()
}

function count(text) {
  if (/^\d+$/.test(text) && Number(text) >= 1000) return Number(text)
  throw new UserError(`--requests ${text}: expected a number of at least 1000.\nUsage: ${COMMAND.usage}`, 2)
}

/** The memory that the isolate holds, in MiB. */
async function reading(worker, done) {
  const held = await worker.heap()
  const all = Object.values(held).reduce((sum, one) => sum + one, 0)
  const figures = Object.entries({ isolate: all, ...held, 'resident process': residentMiB(worker.pid) })
  log(`after ${done} requests: ${figures.map(([name, size]) => `${name} ${size.toFixed(1)} MiB`).join(', ')}`)
  return all
}

/** Measures before the first request, when warm, and after each tenth of the remaining requests. */
async function measure(worker, total) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const readings = [await reading(worker, 0)]
  let done = 0
  for (let step = 0; step <= STEPS; step += 1) {
    const until = Math.round(total * (WARM + ((1 - WARM) * step) / STEPS))
    while (done < until) {
      const to = Math.min(done + 10_000, until)
      await requests(worker, agent, done, to)
      done = to
    }
    readings.push(await reading(worker, done))
  }
  agent.destroy()
  return readings
}

await main(async () => {
  const { requests: text } = parseOptions(COMMAND)
  const total = count(text)
  // A read may be slow on a busy machine, which is not a failure here.
  const worker = await startInspected({ CONTENT_MEMORY, KV_TIMEOUT_MS: 60_000 })
  fill(worker.kv)
  log(
    `${COMPONENTS} components of 2 to 50 KB, ${CONTENT_MEMORY / MIB} MiB of memory for contents, ${BOUND} MiB bounded in all`,
  )
  const started = Date.now()
  try {
    const [empty, ...rest] = await measure(worker, total)
    const most = Math.max(...rest) - empty
    log(
      `at most ${most.toFixed(1)} MiB more than empty, ${(most / BOUND).toFixed(2)} of the bound, after ${duration(started)}`,
    )
  } finally {
    await worker.stop()
  }
})
