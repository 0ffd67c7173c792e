// Measures slotctl at scale: it plans and syncs a repository of 10,000 components with ten versions
// each (100,000 version tags, 20,000 slot tags), compares that with a workflow that runs one `git show`
// and one HTTP PUT per tag, and compares syncs from clones of the repository.
//
//   npm run bench:scale [-- --part whole|clones --components 10000 --versions 10 --together 100 --latency 0]
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import path from 'node:path'

import '../scripts/lib/check-node.mjs'
import { parseOptions } from '../scripts/lib/args.mjs'
import { buildSlotctl } from '../scripts/lib/build.mjs'
import { log, main, UserError } from '../scripts/lib/cli.mjs'
import { measureClones } from './scale/clones.mjs'
import { startKv } from './scale/kv.mjs'
import { makeRepository } from './scale/repository.mjs'
import { syncRunner } from './scale/slotctl.mjs'

/** @satisfies {import('../scripts/lib/args.mjs').Command} */
const COMMAND = {
  usage:
    'npm run bench:scale -- [--part NAME] [--baseline FILE] [--rounds 9] [--components 10000] [--versions 10] ' +
    '[--together 100] [--latency 0]',
  about: 'Measure slotctl with a repository of many components',
  options: {
    part: { type: 'string', help: 'Only `whole` or `clones`' },
    baseline: { type: 'string', help: 'Another build of slotctl, whose sync with nothing to do is measured too' },
    rounds: { type: 'string', default: '9', help: 'The rounds in which the syncs of clones alternate' },
    components: { type: 'string', default: '10000', help: 'The number of components' },
    versions: { type: 'string', default: '10', help: 'The versions of each component' },
    together: { type: 'string', default: '100', help: 'The components that one commit changes' },
    latency: { type: 'string', default: '0', help: 'The milliseconds that a call of the API takes' },
  },
}
/** How many tags are synced like a workflow does; the total is their time, scaled. */
const SAMPLE = 500
const ROUNDS = 3
const MEBI = 1 << 20

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

const total = (calls) => Object.values(calls).reduce((sum, count) => sum + count, 0)

/**
 * The smallest number of calls that write the pairs of each stage, list the keys of each namespace and
 * read the slots. A sync that writes also reads a sample of each namespace back.
 */
const minimum = ({ writes = [], lists = [], slots = 0 }) =>
  writes.reduce((sum, pairs) => sum + Math.ceil(pairs / 10_000), 0) +
  lists.reduce((sum, keys) => sum + Math.max(1, Math.ceil(keys / 1_000)), 0) +
  Math.ceil(slots / 100) +
  (writes.length > 0 ? 2 : 0)

/** Runs a `git show` and a PUT per tag for a sample, like a workflow; resolves to ms per tag. */
async function workflowsWay(repo, kv, tags) {
  const every = Math.ceil(tags.length / SAMPLE)
  const sample = tags.filter((_, at) => at % every === 0)
  const began = performance.now()
  for (const tag of sample) {
    const [, type, name] = tag.split('/')
    const shown = execFileSync('git', ['-C', repo, 'show', `${tag}:${type}/${name}.md`])
    // Like a shell script, with one process per call.
    const put = spawnSync(
      'curl',
      [
        '--silent',
        '--fail',
        '--output',
        '/dev/null',
        '--request',
        'PUT',
        '--data-binary',
        '@-',
        `${kv.namespace('3'.repeat(32))}/values/${encodeURIComponent(tag)}`,
      ],
      { input: shown },
    )
    if (put.status !== 0) throw new UserError(`curl exited with ${put.status}`)
  }
  return (performance.now() - began) / sample.length
}

async function bench(options) {
  const { components, versions, together, latency, part, baseline, rounds } = options
  const folder = mkdtempSync(path.join(tmpdir(), 'slotctl-scale-'))
  const kv = await startKv({ latency })
  try {
    const repo = path.join(folder, 'repo.git')
    const made = await makeRepository(repo, { components, versions, together })
    log(`Created ${made.tags} tags at ${made.commits} commits.\n`)
    const sync = syncRunner({ folder, kv })
    log(`${circumstances(options)}\n`)
    if (part !== 'whole') reportClones(await measureClones({ folder, repo, kv, sync, rounds, baseline }))
    await kv.clear()
    if (part !== 'clones') await measure({ repo, kv, sync, components, versions, made })
  } finally {
    kv.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Syncs `repo` once, or ROUNDS times for the medians. */
function often(sync, repo) {
  return async (...flags) => {
    const runs = []
    for (let round = 0; round < ROUNDS; round += 1) runs.push(await sync(repo, flags))
    const of = (pick) => median(runs.map(pick))
    const [{ calls }] = runs
    return { time: of(({ time }) => time), git: of((run) => run.steps.git), memory: of(({ memory }) => memory), calls }
  }
}

async function measure({ repo, kv, sync, components, versions, made }) {
  const medians = often(sync, repo)
  const slots = components * 3
  // The first and the last stage include the record of the run itself.
  const writes = [components * versions, components * versions + 1, slots, components, 1 + 1]
  const inComponents = components * versions * 2 + components + 1
  const rows = []
  const row = (what, { time, git, memory, calls, least }) =>
    rows.push([what, seconds(time), seconds(git), `${Math.round(memory / MEBI)} MiB`, `${total(calls)} of ${least}`])

  // 1. Into an empty KV: plan, then write.
  const planned = await medians('--dry-run')
  row('plan the first sync', { ...planned, least: minimum({ lists: [0, 0] }) })
  const first = await sync(repo)
  row('the first sync', { ...first, git: first.steps.git, least: minimum({ lists: [0, 0], writes }) })
  // 2. Nothing changed.
  const lists = { lists: [slots, inComponents], slots }
  row('a sync with nothing to do', { ...(await medians()), least: minimum(lists) })
  // 3. One slot moved.
  const moved = 'components/prompts/c00000/production'
  const target = made.git('rev-parse', 'components/prompts/c00000/v1.0.0').toString().trim()
  made.git('tag', '--force', '--message', 'Back', moved, target)
  row('plan a sync with one moved slot', { ...(await medians('--dry-run')), least: minimum(lists) + 1 })
  const only = await medians('--dry-run', '--only', 'prompts/c00000')
  row('plan the same with `--only`', { ...only, least: 2 + 1 + 1 })
  const one = await sync(repo)
  row('a sync with one moved slot', {
    ...one,
    git: one.steps.git,
    least: minimum({ ...lists, writes: [1, 1, 1 + 1] }) + 1,
  })

  const tags = made.git('for-each-ref', '--format=%(refname:strip=2)', 'refs/tags').toString().trim().split('\n')
  const each = await workflowsWay(repo, kv, tags)
  const whole = each * tags.length
  report({ rows, first, whole, each, tags: tags.length })
}

const count = (number) => number.toLocaleString('en')

/** The machine, the date, and what is measured. */
function circumstances({ components, versions, together, latency }) {
  return (
    `${cpus()[0].model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, ` +
    `${new Date().toISOString().slice(0, 10)}, load average ${loadavg()[0].toFixed(1)}; ` +
    `${count(components)} components × ${count(versions)} versions, ${count(together)} per commit; ` +
    `the API in memory on the same machine, ${latency} ms per call`
  )
}

function reportClones(rows) {
  log('| a sync from a clone | ratio | wanted | medians |\n| --- | --- | --- | --- |')
  for (const { what, ours, theirs, ratio, limit } of rows) {
    const verdict = ratio > limit ? `${limit} **missed**` : limit
    log(`| ${what} | ${ratio.toFixed(2)} | ${verdict} | ${seconds(ours)}, ${seconds(theirs)} |`)
  }
  log('')
}

function report({ rows, first, whole, each, tags }) {
  log(`Medians of ${ROUNDS} for runs that write nothing:\n`)
  log('| | total | reading Git | memory | API calls, of the possible minimum |\n| --- | --- | --- | --- | --- |')
  for (const row of rows) log(`| ${row.join(' | ')} |`)
  log(
    `\nOne \`git show\` and one PUT per tag: ${each.toFixed(1)} ms per tag (a sample of ${count(SAMPLE)}), scaled to ` +
      `${count(tags)} tags ${seconds(whole)} and ${count(tags)} calls; slotctl's first sync is ` +
      `${(whole / first.time).toFixed(0)} times as fast, with ${(tags / total(first.calls)).toFixed(0)} times fewer calls.`,
  )
}

const NUMBERS = ['components', 'versions', 'together', 'latency', 'rounds']

await main(async () => {
  const options = parseOptions(COMMAND)
  const { part } = options
  if (![undefined, 'whole', 'clones'].includes(part)) throw new UserError(`--part is whole or clones, not ${part}`)
  await buildSlotctl()
  await bench({ ...options, ...Object.fromEntries(NUMBERS.map((name) => [name, Number(options[name])])) })
})
