import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

// All packages with their digests.
const REQUIREMENTS = fileURLToPath(new URL('schemathesis.txt', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const VENV = path.join(ROOT, '.tools', 'venv')
const STAMP = path.join(VENV, 'requirements-digest')
const BIN = path.join(VENV, process.platform === 'win32' ? 'Scripts' : 'bin')

const succeeds = (command, args) => spawnSync(command, args).status === 0

/** Tells if a suitable Python is installed. */
export const hasPython = () => succeeds('python3', ['-c', 'import venv, sys; assert sys.version_info >= (3, 11)'])

const wanted = () => createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')

const current = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted()

/** Installs schemathesis into a folder of its own, once. */
export function ensureSchemathesis() {
  if (current()) return
  rmSync(VENV, { recursive: true, force: true })
  mkdirSync(path.dirname(VENV), { recursive: true })
  const steps = /** @type {[command: string, args: string[]][]} */ ([
    ['python3', ['-m', 'venv', VENV]],
    [
      path.join(BIN, 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', REQUIREMENTS],
    ],
  ])
  for (const [command, args] of steps) {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`)
  }
  writeFileSync(STAMP, wanted())
}

/** Runs schemathesis in `folder`, where it writes files; resolves to its exit code and output. */
export function runSchemathesis(args, folder) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' }
    const child = spawn(path.join(BIN, 'schemathesis'), ['run', ...args], {
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
