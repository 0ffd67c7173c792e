// Measures the cost of a request, and compares it with JavaScript that gives the same answers, with
// the floor and with the SDKs of flag services. All variants are interleaved in one run: npm run bench
// [-- --quick] [-- --part NAME]. Without --quick, each part that was measured is written to
// docs/performance.md.
import '../scripts/lib/check-node.mjs'
import { parseOptions } from '../scripts/lib/args.mjs'
import { buildWorker } from '../scripts/lib/build.mjs'
import { duration, log, main, UserError } from '../scripts/lib/cli.mjs'
import { setup } from '../scripts/lib/setup.mjs'
import { measureCold } from './lib/cold.mjs'
import { measureHandler } from './lib/handler.mjs'
import { measureLadder } from './lib/ladder.mjs'
import { measurePeers } from './lib/peers.mjs'
import { circumstances, table, writeParts } from './lib/report.mjs'
import { compressedSizes } from './lib/size.mjs'
import { measureThroughput } from './lib/throughput.mjs'
import { measureWhole } from './lib/whole.mjs'

/** @satisfies {import('../scripts/lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run bench -- [--quick] [--part NAME]',
  about: 'Measure the cost of a request, and compare it with JavaScript that gives the same answers',
  options: {
    quick: { type: 'boolean', help: 'Measure less, and leave docs/performance.md unchanged' },
    part: { type: 'string', help: 'Only whole, handler, cold, size, throughput, ladder or peers' },
  },
}

const FULL = {
  whole: { processes: 9, warm: 1_000, each: 14, count: 100 },
  handler: { rounds: 63, count: 1_700 },
  cold: { rounds: 25 },
  throughput: { seconds: 5 },
  ladder: { processes: 9, warm: 1_000, each: 14, count: 100 },
  peers: { processes: 3, warm: 300, each: 14, count: 100 },
}
const QUICK = {
  whole: { processes: 1, warm: 1_000, each: 7, count: 100 },
  handler: { rounds: 5, count: 2_000 },
  cold: { rounds: 3 },
  throughput: { seconds: 1 },
  ladder: { processes: 2, warm: 1_000, each: 7, count: 100 },
  peers: { processes: 1, warm: 100, each: 5, count: 100 },
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
  const rows = results.map(({ name, rate, p50, p99 }) => [CALLED[name], rate, p50, p99])
  return `wrk, 16 connections. The KV service runs on the same machine, so only the ratios are meaningful:

${table(['slot, content in memory', 'requests per second', 'p50', 'p99'], rows)}`
}

function ladderText({ steps }, { processes, each, count }) {
  const rows = steps.map(({ what, cpu, ratio: measured }) => [what, cpu.toFixed(0), ratio(measured)])
  const floor = steps.at(-2)?.ratio ?? Number.NaN
  return `The ladder from an empty answer to ours: CPU time of the whole process per request of a slot, medians of ${processes * each}
interleaved rounds of ${count} requests. The floor (\`bench/baselines/floor.mjs\`) decides nothing and sends the bytes,
headers and log line that it was given, after one read of KV under a time-out. We take ${ratio(floor)} of it (limit ${verdict(floor, 1.1)}):

${table(['request', 'µs', 'ours, as a multiple'], rows)}`
}

function peersText(results, { processes, each, count }) {
  const rows = results.map(({ kind, count: components, isAlike, cpu, ratios, limits }) => [
    components,
    kind === 'sole' ? 'one version' : 'split in three by key',
    isAlike ? 'ours' : 'their own',
    ...['ours', 'launchdarkly', 'growthbook'].map((name) => cpu[name].toFixed(0)),
    ...['launchdarkly', 'growthbook'].map((name) => `${ratio(ratios[name])} (${limitOf(ratios[name], limits[name])})`),
  ])
  return `The SDKs of LaunchDarkly (\`@launchdarkly/cloudflare-server-sdk\`) and GrowthBook (\`@growthbook/growthbook\`), in the
versions of \`bench/peers/package.json\`. Each serves the same components from the same KV service in the same workerd;
its flags name contents by digest, and it keeps contents in memory. Each is measured twice: as it is, with
\`Content-Type\` as its only header, and with recorded headers and log lines of ours, but without our time-out. With its
own header and one component, a service does less than the floor above, so only the second ratio compares responses
that are alike. CPU time of the whole process per request, medians of ${processes * each} interleaved rounds of ${count} requests:

${table(['components', 'slot', 'headers and log line', 'ours, µs', 'LaunchDarkly, µs', 'GrowthBook, µs', 'ours to LaunchDarkly', 'ours to GrowthBook'], rows)}`
}

const limitOf = (measured, limit) => (limit === undefined ? 'no limit' : `limit ${verdict(measured, limit)}`)

/** The parts by name, each with its title in docs/performance.md. */
const TITLES = {
  whole: 'CPU time of a request',
  handler: 'The handler alone',
  cold: 'Cold start',
  size: 'Size of the upload',
  throughput: 'Throughput',
  ladder: 'The floor',
  peers: 'Flag services',
}

/** Why a part could not be measured. */
const UNMEASURED = {
  throughput: 'wrk is not installed: throughput and latencies were not measured.',
  peers: 'npm could not install the SDKs of flag services: they were not measured.',
}

/** The text of results, or nothing if there are none. */
const textOf = (describe, results, settings) => (results.length > 0 ? describe(results, settings) : undefined)

/** The parts by name; each measures with its settings and returns its text, or nothing if it could not measure. */
const PARTS = {
  whole: async (settings) => wholeText(await measureWhole(settings), settings),
  handler: async (settings) => handlerText(await measureHandler(settings), settings),
  cold: async (settings) => coldText(await measureCold(settings), settings),
  size: () => sizeText(compressedSizes()),
  throughput: async (settings) => textOf(throughputText, await measureThroughput(settings), settings),
  ladder: async (settings) => ladderText(await measureLadder(settings), settings),
  peers: async (settings) => textOf(peersText, await measurePeers(settings), settings),
}

/** Measures a part and prints it. Writes it, unless `quick`, and tells if it did. */
async function measure(name, quick) {
  const measured = await PARTS[name]((quick ? QUICK : FULL)[name])
  if (!measured) {
    log(UNMEASURED[name])
    return false
  }
  const text = `\`npm run bench -- --part ${name}\` on ${circumstances()}.\n\n${measured}`
  console.log(`${text}\n`)
  if (!quick) writeParts({ [TITLES[name]]: text }, Object.values(TITLES))
  return !quick
}

await main(async () => {
  const { quick, part } = parseOptions(COMMAND)
  if (part && !(part in PARTS)) {
    throw new UserError(`--part ${part}: expected ${Object.keys(PARTS).join(', ')}.\nUsage: ${COMMAND.usage}`, 2)
  }
  await buildWorker(await setup())
  const started = Date.now()
  const written = []
  for (const name of part ? [part] : Object.keys(PARTS)) if (await measure(name, quick)) written.push(name)
  const end =
    written.length > 0 ? `${written.join(', ')} written to docs/performance.md` : 'docs/performance.md is unchanged'
  log(`Measured in ${duration(started)}; ${end}.`)
})
