import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Tells if a suitable Python 3 is installed. @param {number} minor the oldest suitable one */
export function hasPython(minor) {
  const program = `import venv, ensurepip, sys; assert sys.version_info >= (3, ${minor})`
  return spawnSync('python3', ['-c', program]).status === 0
}

/**
 * Runs a command and returns what it prints; its error has everything that it said.
 *
 * @param {string} command @param {string[]} args @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string }} [options]
 */
export function run(command, args, options = {}) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} failed: ${error?.message ?? stderr}\n${stdout}`)
}

/** The path of an executable in a virtual environment. @param {string} venv @param {string} name */
export const executable = (venv, name) => path.join(venv, process.platform === 'win32' ? 'Scripts' : 'bin', name)

/** Runs pip in a virtual environment. @param {string} venv @param {string[]} args */
export const pip = (venv, args) =>
  run(executable(venv, 'python'), ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args])

/** The file in a virtual environment with the digest of its requirements. @param {string} venv */
const stampOf = (venv) => path.join(venv, 'requirements-digest')

/** @param {string} requirements */
const digestOf = (requirements) => createHash('sha256').update(readFileSync(requirements)).digest('hex')

/**
 * Tells if a virtual environment has the packages of a file of requirements.
 *
 * @param {string} venv @param {string} requirements
 */
export function isCurrent(venv, requirements) {
  const stamp = stampOf(venv)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digestOf(requirements)
}

/**
 * Makes a virtual environment with the packages of a file of requirements, by their digests, unless
 * the folder has it already.
 *
 * @param {string} venv @param {string} requirements
 */
export function ensureVenv(venv, requirements) {
  if (isCurrent(venv, requirements)) return
  rmSync(venv, { recursive: true, force: true })
  mkdirSync(path.dirname(venv), { recursive: true })
  run('python3', ['-m', 'venv', venv])
  pip(venv, ['install', '--require-hashes', '--requirement', requirements])
  writeFileSync(stampOf(venv), digestOf(requirements))
}
