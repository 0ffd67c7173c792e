import path from 'node:path'

import { announced } from './build.mjs'
import { log, UserError } from './cli.mjs'
import { inRoot, SEARCH_PATH, TOOLS } from './paths.mjs'
import { executableOf } from './platforms.mjs'
import { run } from './run.mjs'
import { ensureVenv, executable, hasPython, isCurrent } from './venv.mjs'

/** @typedef {import('./platforms.mjs').Platform} Platform */

/** PyPI's cargo-zigbuild, and the zig that links, by their digests. */
const REQUIREMENTS = inRoot('tools', 'zig', 'requirements.txt')

const ENVIRONMENT = path.join(TOOLS, 'zig')

/** The oldest Python 3 that cargo-zigbuild supports. */
const OLDEST_PYTHON = 8

/** The environment of a cargo that finds cargo-zigbuild. */
const zigEnv = () => ({
  PATH: [path.dirname(executable(ENVIRONMENT, 'cargo-zigbuild')), SEARCH_PATH].join(path.delimiter),
  CARGO_TARGET_DIR: inRoot('target'),
})

/** Installs cargo-zigbuild and zig into .tools, with Python. */
function ensureZig() {
  if (isCurrent(ENVIRONMENT, REQUIREMENTS)) return
  if (!hasPython(OLDEST_PYTHON))
    throw new UserError('Python 3 with venv is missing: install it. It installs zig, the linker for other platforms.')
  log('Installing zig, which links for other platforms, into .tools/zig (once, about 90 MB) ...')
  ensureVenv(ENVIRONMENT, REQUIREMENTS)
}

/**
 * Compiles slotctl for a platform.
 *
 * @param {Platform} platform
 * @returns {Promise<string>} the executable
 */
export async function buildFor(platform) {
  ensureZig()
  await run('rustup', ['target', 'add', platform.target])
  const args = ['zigbuild', '--release', '--locked', '--package', 'slotctl', '--target', platform.target]
  await announced(
    `Building slotctl for ${platform.name}`,
    run('cargo', args, { env: zigEnv(), name: 'cargo zigbuild' }),
  )
  return inRoot('target', platform.target, 'release', executableOf(platform))
}
