// Measures slotctl at scale: it plans and syncs a repository of 10,000 components with ten versions
// each (100,000 version tags, 20,000 slot tags), and compares that with a workflow that runs one
// `git show` and one HTTP PUT per tag.
//
//   npm run bench:scale [-- --components 10000 --versions 10 --together 100 --latency 0]
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import path from 'node:path'

import '../scripts/lib/check-node.mjs'
import { parseOptions } from '../scripts/lib/args.mjs'
import { buildSlotctl } from '../scripts/lib/build.mjs'
import { log, main, UserError } from '../scripts/lib/cli.mjs'
import { inRoot } from '../scripts/lib/paths.mjs'
import { ACCOUNT, startKv } from './scale/kv.mjs'
import { makeRepository } from './scale/repository.mjs'

/** @satisfies {import('../scripts/lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run bench:scale -- [--components 10000] [--versions 10] [--together 100] [--latency 0]',
  about: 'Measure slotctl with a repository of many components',
  options: {
    components: { type: 'string', default: '10000', help: 'The number of components' },
    versions: { type: 'string', default: '10', help: 'The versions of each component' },
    together: { type: 'string', default: '100', help: 'The components that one commit changes' },
    latency: { type: 'string', default: '0', help: 'The milliseconds that a call of the API takes' },
  },
}
const IDS = { SLOTS: '1'.repeat(32), COMPONENTS: '2'.repeat(32) }
/** How many tags are synced like a workflow does; the total is their time, scaled. */
const SAMPLE = 500
const ROUNDS = 3
const MEBI = 1 << 20

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const seconds = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** Runs `slotctl`; resolves to its time, its highest memory including Git's, and the times of its steps. */
function slotctl(args, env) {
  const binary = process.env.SLOTCTL ?? inRoot('target', 'release', 'slotctl')
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(child.pid))
    }, 20)
    const out = []
    child.stderr.on('data', (chunk) => out.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      clearInterval(watch)
      const stderr = Buffer.concat(out).toString()
      if (code !== 0) return reject(new UserError(`slotctl exited with ${code}:\n${stderr.slice(-2000)}`))
      const time = performance.now() - began
      return resolve({ time, memory: most, steps: steps(stderr) })
    })
  })
}

/** The highest resident set of a process and of its children so far, in bytes. */
function memoryOf(pid) {
  try {
    const own = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
    // This includes the packs that Git maps, which are in the page cache.
    return own + children.reduce((sum, child) => sum + memoryOf(child), 0)
  } catch {
    return 0
  }
}

/** The times that slotctl prints for its steps, in milliseconds. */
function steps(talk) {
  const times = {}
  for (const [, name, amount, unit] of talk.matchAll(/^(\w+) +.*\((?:(?:\d+) min )?([\d.]+) (ms|s)\)$/gm)) {
    times[name] = (times[name] ?? 0) + Number(amount) * (unit === 's' ? 1000 : 1)
  }
  return times
}

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

async function bench({ components, versions, together, latency }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'slotctl-scale-'))
  const kv = await startKv({ latency })
  try {
    const repo = path.join(folder, 'repo.git')
    const made = await makeRepository(repo, { components, versions, together })
    log(`Created ${made.tags} tags at ${made.commits} commits.\n`)
    await measure({ folder, repo, kv, components, versions, made, together, latency })
  } finally {
    kv.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs `slotctl sync` against the bench's KV: `sync` once, `often` ROUNDS times for the medians. */
function syncRunner({ folder, repo, kv }) {
  const config = path.join(folder, 'wrangler.toml')
  const binding = ([name, id]) => `[[env.bench.kv_namespaces]]\nbinding = "${name}"\nid = "${id}"\n`
  writeFileSync(config, Object.entries(IDS).map(binding).join(''))
  const env = { CLOUDFLARE_API_TOKEN: 'bench', CLOUDFLARE_ACCOUNT_ID: ACCOUNT, CLOUDFLARE_API_BASE_URL: kv.url }
  const sync = async (...flags) => {
    await kv.calls()
    const ran = await slotctl(['sync', '--repo', repo, '--config', config, '--env', 'bench', ...flags], env)
    return { ...ran, calls: await kv.calls() }
  }
  const often = async (...flags) => {
    const runs = []
    for (let round = 0; round < ROUNDS; round += 1) runs.push(await sync(...flags))
    const of = (pick) => median(runs.map(pick))
    const [{ calls }] = runs
    return { time: of(({ time }) => time), git: of((run) => run.steps.git), memory: of(({ memory }) => memory), calls }
  }
  return { sync, often }
}

async function measure({ folder, repo, kv, components, versions, made, together, latency }) {
  const { sync, often } = syncRunner({ folder, repo, kv })
  const slots = components * 3
  // The first and the last stage include the record of the run itself.
  const writes = [components * versions, components * versions + 1, slots, components, 1 + 1]
  const inComponents = components * versions * 2 + components + 1
  const rows = []
  const row = (what, { time, git, memory, calls, least }) =>
    rows.push([what, seconds(time), seconds(git), `${Math.round(memory / MEBI)} MiB`, `${total(calls)} of ${least}`])

  // 1. Into an empty KV: plan, then write.
  const planned = await often('--dry-run')
  row('plan the first sync', { ...planned, least: minimum({ lists: [0, 0] }) })
  const first = await sync()
  row('the first sync', { ...first, git: first.steps.git, least: minimum({ lists: [0, 0], writes }) })
  // 2. Nothing changed.
  const lists = { lists: [slots, inComponents], slots }
  row('a sync with nothing to do', { ...(await often()), least: minimum(lists) })
  // 3. One slot moved.
  const moved = 'components/prompts/c00000/production'
  const target = made.git('rev-parse', 'components/prompts/c00000/v1.0.0').toString().trim()
  made.git('tag', '--force', '--message', 'Back', moved, target)
  row('plan a sync with one moved slot', { ...(await often('--dry-run')), least: minimum(lists) + 1 })
  const only = await often('--dry-run', '--only', 'prompts/c00000')
  row('plan the same with `--only`', { ...only, least: 2 + 1 + 1 })
  const one = await sync()
  row('a sync with one moved slot', {
    ...one,
    git: one.steps.git,
    least: minimum({ ...lists, writes: [1, 1, 1 + 1] }) + 1,
  })

  const tags = made.git('for-each-ref', '--format=%(refname:strip=2)', 'refs/tags').toString().trim().split('\n')
  const each = await workflowsWay(repo, kv, tags)
  const whole = each * tags.length
  report({ rows, first, whole, each, tags: tags.length, components, versions, together, latency })
}

function report({ rows, first, whole, each, tags, components, versions, together, latency }) {
  const count = (number) => number.toLocaleString('en')
  log(
    `${cpus()[0].model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, ` +
      `${new Date().toISOString().slice(0, 10)}; ${count(components)} components × ${versions} versions, ` +
      `${count(together)} per commit; the API in memory on the same machine, ${latency} ms per call; ` +
      `medians of ${ROUNDS} for runs that write nothing\n`,
  )
  log('| | total | reading Git | memory | API calls, of the possible minimum |\n| --- | --- | --- | --- | --- |')
  for (const row of rows) log(`| ${row.join(' | ')} |`)
  log(
    `\nOne \`git show\` and one PUT per tag: ${each.toFixed(1)} ms per tag (a sample of ${count(SAMPLE)}), scaled to ` +
      `${count(tags)} tags ${seconds(whole)} and ${count(tags)} calls; slotctl's first sync is ` +
      `${(whole / first.time).toFixed(0)} times as fast, with ${(tags / total(first.calls)).toFixed(0)} times fewer calls.`,
  )
}

await main(async () => {
  const options = parseOptions(COMMAND)
  await buildSlotctl()
  const [components, versions, together, latency] = ['components', 'versions', 'together', 'latency'].map((name) =>
    Number(options[name]),
  )
  await bench({ components, versions, together, latency })
})
