import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { ensureVenv, executable } from '../../scripts/lib/venv.mjs'

// All packages with their digests.
const REQUIREMENTS = fileURLToPath(new URL('schemathesis.txt', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const VENV = path.join(ROOT, '.tools', 'venv')

/** Installs schemathesis into a folder of its own, once. */
export const ensureSchemathesis = () => ensureVenv(VENV, REQUIREMENTS)

/** Runs schemathesis in `folder`, where it writes files; resolves to its exit code and output. */
export function runSchemathesis(args, folder) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' }
    const child = spawn(executable(VENV, 'schemathesis'), ['run', ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
    child.on('error', reject)
    child.on('exit', (code) => resolve({ code, output: Buffer.concat(said).toString() }))
  })
}
