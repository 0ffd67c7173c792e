// Compares syncs from clones of one remote: what asking the remote costs, and what a shallow clone costs.
// Both sides of a ratio alternate, so that they meet the same machine.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const LIMITS = { idle: 1.2, first: 1.5 }

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

/** Clones the repository; the server filters objects, as GitHub's does. */
function clone(repo, folder, ...flags) {
  execFileSync('git', ['-C', repo, 'config', 'uploadpack.allowFilter', 'true'])
  execFileSync('git', ['clone', '--quiet', '--no-checkout', ...flags, pathToFileURL(repo).href, folder])
  return folder
}

/** Runs each variant once per round, in alternating order; resolves to the times of each, by name. */
async function alternate(variants, rounds) {
  const times = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const entries = Object.entries(variants)
    for (const [name, run] of round % 2 === 0 ? entries : entries.toReversed()) times[name].push(await run())
  }
  return times
}

/** The medians of two variants, and the median of the rounds' ratios of the first to the second. */
function compare(what, times, [ours, theirs], limit) {
  const ratio = median(times[ours].map((time, round) => time / times[theirs][round]))
  return { what, ours: median(times[ours]), theirs: median(times[theirs]), ratio, limit }
}

/**
 * Measures a sync with nothing to do against one that does not ask the remote, and against that of
 * `baseline`, another build of slotctl, if one is given; then the first sync of a depth-1 clone against
 * that of a full one. `sync` is that of `syncRunner`.
 */
export async function measureClones({ folder, repo, kv, sync, rounds, baseline }) {
  const full = clone(repo, path.join(folder, 'full'))
  const shallow = clone(repo, path.join(folder, 'shallow'), '--depth=1')
  const time = async (...args) => (await sync(...args)).time
  const firstSync = async (dir) => {
    await kv.clear()
    // What an earlier sync has fetched.
    rmSync(path.join(dir, '.git', 'slotctl'), { recursive: true, force: true })
    return time(dir)
  }
  const first = await alternate({ shallow: () => firstSync(shallow), full: () => firstSync(full) }, 3)
  const idle = await alternate(
    {
      remote: () => time(full),
      local: () => time(full, ['--local-refs']),
      ...(baseline && { baseline: () => time(full, [], baseline) }),
    },
    rounds,
  )
  return [
    compare('nothing to do: with the remote, and with `--local-refs`', idle, ['remote', 'local'], LIMITS.idle),
    ...(baseline ? [compare(`the same, and ${baseline}`, idle, ['remote', 'baseline'], LIMITS.idle)] : []),
    compare('the first sync: of a depth-1 clone, and of a full one', first, ['shallow', 'full'], LIMITS.first),
  ]
}
