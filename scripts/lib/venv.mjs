import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Tells if a suitable Python 3 is installed. @param {number} minor the oldest suitable one */
export function hasPython(minor) {
  const program = `import venv, ensurepip, sys; assert sys.version_info >= (3, ${minor})`
  return spawnSync('python3', ['-c', program]).status === 0
}

/** Runs a command and returns what it prints; its error has everything that it said. @param {string} command @param {string[]} args */
export function run(command, args, options = {}) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options })
  } catch (error) {
    throw new Error(`${[command, ...args].join(' ')} failed: ${error.message}\n${error.stdout}`)
  }
}

/** The path of an executable in a virtual environment. @param {string} venv @param {string} name */
export const executable = (venv, name) => path.join(venv, process.platform === 'win32' ? 'Scripts' : 'bin', name)

/** Runs pip in a virtual environment. @param {string} venv @param {string[]} args */
export const pip = (venv, args) =>
  run(executable(venv, 'python'), ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args])

/**
 * Makes a virtual environment with the packages of a file of requirements, by their digests, unless
 * the folder has it already.
 *
 * @param {string} venv @param {string} requirements
 */
export function ensureVenv(venv, requirements) {
  const stamp = path.join(venv, 'requirements-digest')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(venv, { recursive: true, force: true })
  mkdirSync(path.dirname(venv), { recursive: true })
  run('python3', ['-m', 'venv', venv])
  pip(venv, ['install', '--require-hashes', '--requirement', requirements])
  writeFileSync(stamp, wanted)
}
