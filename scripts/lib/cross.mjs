import { existsSync } from 'node:fs'
import path from 'node:path'

import { announced } from './build.mjs'
import { log, UserError } from './cli.mjs'
import { inRoot, SEARCH_PATH, TOOLS } from './paths.mjs'
import { executableOf } from './platforms.mjs'
import { capture, run } from './run.mjs'

/** @typedef {import('./platforms.mjs').Platform} Platform */

/** PyPI's cargo-zigbuild, and the zig that links, by their digests. */
const REQUIREMENTS = inRoot('tools', 'zig', 'requirements.txt')

const ENVIRONMENT = path.join(TOOLS, 'zig')
const BIN = path.join(ENVIRONMENT, process.platform === 'win32' ? 'Scripts' : 'bin')

/** The environment of a cargo that finds cargo-zigbuild. */
const zigEnv = () => ({
  PATH: [BIN, SEARCH_PATH].join(path.delimiter),
  CARGO_TARGET_DIR: inRoot('target'),
})

/** Installs cargo-zigbuild and zig into .tools, with Python. */
async function ensureZig() {
  if (existsSync(path.join(BIN, 'cargo-zigbuild'))) return
  const python = ['python3', 'python'].find((name) => capture(name, ['--version']))
  if (!python)
    throw new UserError('Python is missing: install Python 3, which installs zig, the linker for other platforms.')
  log('Installing zig, which links for other platforms, into .tools/zig (once, about 90 MB) ...')
  await run(python, ['-m', 'venv', ENVIRONMENT])
  await run(path.join(BIN, 'pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '--requirement',
    REQUIREMENTS,
  ])
}

/**
 * Compiles slotctl for a platform.
 *
 * @param {Platform} platform
 * @returns {Promise<string>} the executable
 */
export async function buildFor(platform) {
  await ensureZig()
  await run('rustup', ['target', 'add', platform.target])
  const args = ['zigbuild', '--release', '--locked', '--package', 'slotctl', '--target', platform.target]
  await announced(
    `Building slotctl for ${platform.name}`,
    run('cargo', args, { env: zigEnv(), name: 'cargo zigbuild' }),
  )
  return inRoot('target', platform.target, 'release', executableOf(platform))
}
