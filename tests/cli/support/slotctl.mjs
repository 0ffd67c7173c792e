import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { GIT_ENV } from './repo.mjs'
import { checkShape } from './schemas.mjs'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** The binary under test: `SLOTCTL`, or the built one. */
export function binary() {
  const built = ['release', 'debug'].map((profile) => path.join(ROOT, 'target', profile, 'slotctl'))
  const found = [process.env.SLOTCTL, ...built].find((file) => file && existsSync(file))
  if (!found) throw new Error('target/release/slotctl is missing: run `npm run build` first.')
  return found
}

/** The environment of a command, without the user's settings that affect it. */
function cleanEnv(extra) {
  const reacts = /^(CLOUDFLARE_|SLOTCTL_|GIT_|NO_COLOR$|CLICOLOR|(all|http|https|no)_proxy$)/i
  const kept = Object.entries(process.env).filter(([name]) => !reacts.test(name))
  return { ...Object.fromEntries(kept), ...extra }
}

/** The environment that isolates Git from the user's settings; `extra` can set another identity. */
export function gitEnv(extra = {}) {
  const { PATH, HOME, ...env } = GIT_ENV
  return { ...env, ...extra }
}

/**
 * Runs `slotctl` (`started` gets the process). With `--json`, `json` is the printed object, which must
 * have the shape that `docs/schemas` describes, and the exit code.
 */
export function slotctl(args, { env = {}, cwd = ROOT, started = (_child) => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary(), args, { cwd, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
    started(child)
    const out = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => (out[stream] += text))
    }
    child.once('error', reject)
    child.once('close', (code) => {
      try {
        const json = args.includes('--json') && out.stdout ? read(out.stdout, code) : undefined
        resolve({ code, json, ...out })
      } catch (error) {
        reject(error)
      }
    })
  })
}

function read(stdout, code) {
  const json = JSON.parse(stdout)
  checkShape(json)
  if (json.exit !== code) throw new Error(`the exit code is ${code}, the output has ${json.exit}`)
  return json
}
