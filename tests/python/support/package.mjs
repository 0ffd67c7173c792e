// The Python package as it is published: built in a folder of its own, and installed from its file.
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { inRoot } from '../../../scripts/lib/paths.mjs'
import { stagePython } from '../../../scripts/lib/python.mjs'
import { ensureVenv, executable, pip, run } from '../../../scripts/lib/venv.mjs'

const REQUIREMENTS = fileURLToPath(new URL('../requirements.txt', import.meta.url))

/** The environment with hatchling, ruff and mypy. */
const TOOLS = inRoot('.tools', 'python')

/** The files of all packages in `TOOLS`, so that an installation needs no registry. */
const WHEELS = path.join(TOOLS, 'wheels')

export const tool = (name) => executable(TOOLS, name)

/** Builds a wheel from a folder or a source distribution. @param {string} source @param {string} target folder */
function wheelOf(source, target) {
  pip(TOOLS, ['wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', target, source])
  return path.join(
    target,
    readdirSync(target).find((name) => name.endsWith('.whl')),
  )
}

const LIST = 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\\n")'

/** The paths of the files in a wheel. @param {string} wheel */
export const filesOf = (wheel) => run(tool('python'), ['-c', LIST, wheel]).trim().split('\n')

/** Builds the package: a source distribution, and a wheel from it and from the folder. @param {string} folder */
export function buildPackage(folder) {
  const source = stagePython(path.join(folder, 'source'))
  run(tool('python'), ['-m', 'hatchling', 'build', '--target', 'sdist', '--directory', folder], { cwd: source })
  const archive = readdirSync(folder).find((name) => name.endsWith('.tar.gz'))
  return {
    wheel: wheelOf(source, path.join(folder, 'wheel')),
    again: wheelOf(path.join(folder, archive), path.join(folder, 'again')),
  }
}

/** Installs a wheel, its dependencies and trio into an empty environment, from files only. @param {string} folder @param {string} wheel */
function install(folder, wheel) {
  const venv = path.join(folder, 'venv')
  run(tool('python'), ['-m', 'venv', '--without-pip', venv])
  const python = executable(venv, 'python')
  pip(TOOLS, ['--python', python, 'install', '--no-index', '--find-links', WHEELS, wheel, 'trio'])
  return python
}

function downloadWheels() {
  if (existsSync(WHEELS)) return
  // A folder with this name is complete.
  const part = `${WHEELS}.part`
  rmSync(part, { recursive: true, force: true })
  pip(TOOLS, ['download', '--require-hashes', '--requirement', REQUIREMENTS, '--dest', part])
  renameSync(part, WHEELS)
}

/** Builds the package and installs it. `folder` has everything that is made. */
export function installPackage() {
  ensureVenv(TOOLS, REQUIREMENTS)
  downloadWheels()
  const folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-python-'))
  const built = buildPackage(folder)
  return { folder, ...built, python: install(folder, built.wheel) }
}
