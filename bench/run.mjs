// Measures the cost of a request, and compares it with JavaScript that gives the same answers. All
// variants are interleaved in one run: npm run bench [-- --quick]. Without --quick, the result is
// written to docs/performance.md.
import '../scripts/lib/check-node.mjs'
import { parseOptions } from '../scripts/lib/args.mjs'
import { buildWorker } from '../scripts/lib/build.mjs'
import { duration, log, main } from '../scripts/lib/cli.mjs'
import { setup } from '../scripts/lib/setup.mjs'
import { measureCold } from './lib/cold.mjs'
import { measureHandler } from './lib/handler.mjs'
import { circumstances, table, writeSection } from './lib/report.mjs'
import { compressedSizes } from './lib/size.mjs'
import { measureThroughput } from './lib/throughput.mjs'
import { measureWhole } from './lib/whole.mjs'

/** @satisfies {import('../scripts/lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run bench -- [--quick]',
  about: 'Measure the cost of a request, and compare it with JavaScript that gives the same answers',
  options: { quick: { type: 'boolean', help: 'Measure less, and leave docs/performance.md unchanged' } },
}

const FULL = {
  whole: { processes: 9, warm: 1_000, each: 14, count: 100 },
  handler: { rounds: 63, count: 1_700 },
  cold: { rounds: 25 },
  throughput: { seconds: 5 },
}
const QUICK = {
  whole: { processes: 1, warm: 250, each: 3, count: 250 },
  handler: { rounds: 5, count: 2_000 },
  cold: { rounds: 3 },
  throughput: { seconds: 1 },
}

const CALLED = {
  ours: 'component-resolver',
  pointer: 'the plain-JavaScript baseline (`bench/baselines/pointer.mjs`)',
  optimised: 'hand-optimised JavaScript (`optimised.mjs`)',
  loader: 'one read of the content under the slot’s key, as in Conductor’s loader (`loader.mjs`)',
  hello: 'hello, world',
}

const ratio = (number) => number.toFixed(2)
const verdict = (measured, limit) => (limit === undefined ? '' : `${limit}${measured > limit ? ' **missed**' : ''}`)

function wholeText({ comparisons, hello }, { processes, each, count }) {
  const rows = comparisons.map(({ what, cpu, ratio: measured, reads, limit }) => [
    what,
    cpu.toFixed(0),
    ratio(measured),
    verdict(measured, limit),
    reads.toFixed(2),
  ])
  return `CPU time of the whole workerd process per request: medians of ${processes * each} interleaved rounds of ${count} requests
in ${processes} processes of each variant. An empty response takes ${hello.toFixed(0)} µs. The ratio is the median of the rounds' ratios to the
plain-JavaScript baseline, unless the row names something else. \`tests/worker/baselines.test.mjs\` checks that the
baseline gives the same status, headers, body and log line, also while KV hangs.

${table(['request', 'µs', 'ratio', 'limit', 'KV reads'], rows)}`
}

function handlerText(results, { rounds, count }) {
  const rows = results.map(({ name, cpu, ratio: measured }) => [
    CALLED[name],
    cpu.toFixed(1),
    ratio(measured),
    name === 'ours' ? verdict(measured, 0.9) : '',
  ])
  return `The handler alone, called ${count} times in a loop in one isolate with a stubbed KV, ${rounds} rounds:

${table(['slot, content in memory', 'µs', 'ratio to the baseline', 'limit'], rows)}`
}

function coldText({ ours, pointer, ratio: measured, answerRatio }, { rounds }) {
  const row = (name, { wall, answer, cpu, warm }) => [
    CALLED[name],
    wall.toFixed(1),
    answer.toFixed(1),
    cpu.toFixed(1),
    warm.toFixed(0),
  ]
  const head = [
    '',
    'until the first response, ms',
    'the request itself, ms',
    'CPU, ms',
    'CPU of the next 100 requests, µs each',
  ]
  return `Cold start, ${rounds} processes of each: the time from the start of the process to the first response is ${ratio(measured)} times
the baseline's (limit ${verdict(measured, 1.35)}). The request itself, in a running isolate, takes ${ratio(answerRatio)} times the baseline's:

${table(head, [row('ours', ours), row('pointer', pointer)])}`
}

function sizeText(sizes) {
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0) / 1000
  const each = Object.entries(sizes).map(([name, size]) => `${name} ${(size / 1000).toFixed(1)} KB`)
  return `Upload, gzip: ${each.join(' + ')} = ${all.toFixed(1)} KB (limit ${verdict(all, 250)}).`
}

function throughputText(results) {
  if (results.length === 0) return 'wrk is not installed: throughput and latencies were not measured.'
  const rows = results.map(({ name, rate, p50, p99 }) => [CALLED[name], rate, p50, p99])
  return `wrk, 16 connections. The KV service runs on the same machine, so only the ratios are meaningful:

${table(['slot, content in memory', 'requests per second', 'p50', 'p99'], rows)}`
}

await main(async () => {
  const { quick } = parseOptions(COMMAND)
  await buildWorker(await setup())
  const { whole, handler, cold, throughput } = quick ? QUICK : FULL
  const started = Date.now()
  const parts = [`\`npm run bench\` on ${circumstances()}.`]
  for (const part of [
    async () => wholeText(await measureWhole(whole), whole),
    async () => handlerText(await measureHandler(handler), handler),
    async () => coldText(await measureCold(cold), cold),
    () => sizeText(compressedSizes()),
    async () => throughputText(await measureThroughput(throughput)),
  ]) {
    parts.push(await part())
    console.log(`${parts.at(-1)}\n`)
  }
  if (!quick) writeSection('The Worker', parts.join('\n\n'))
  log(
    `Measured in ${duration(started)}${quick ? '; without --quick, more is measured and written to docs/performance.md' : ', written to docs/performance.md'}.`,
  )
})
