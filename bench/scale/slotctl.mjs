// Runs `slotctl` against the bench's KV, and measures its time, its memory and its calls.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { UserError } from '../../scripts/lib/cli.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { ACCOUNT } from './kv.mjs'

const IDS = { SLOTS: '1'.repeat(32), COMPONENTS: '2'.repeat(32) }
const BINARY = process.env.SLOTCTL ?? inRoot('target', 'release', 'slotctl')

/**
 * Returns a function that runs `slotctl sync` on a repository. It resolves to the time in milliseconds,
 * the highest memory including Git's, the times of the steps, and the calls of the API.
 */
export function syncRunner({ folder, kv }) {
  const config = path.join(folder, 'wrangler.toml')
  const binding = ([name, id]) => `[[env.bench.kv_namespaces]]\nbinding = "${name}"\nid = "${id}"\n`
  writeFileSync(config, Object.entries(IDS).map(binding).join(''))
  const env = { CLOUDFLARE_API_TOKEN: 'bench', CLOUDFLARE_ACCOUNT_ID: ACCOUNT, CLOUDFLARE_API_BASE_URL: kv.url }
  return async (repo, flags = [], binary = BINARY) => {
    await kv.calls()
    const ran = await slotctl(binary, ['sync', '--repo', repo, '--config', config, '--env', 'bench', ...flags], env)
    return { ...ran, calls: await kv.calls() }
  }
}

function slotctl(binary, args, env) {
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
