import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { WORKER_OUTPUTS } from './build.mjs'
import { duration, log, UserError } from './cli.mjs'
import { inRoot, TOOLS } from './paths.mjs'
import { capture, run } from './run.mjs'

/** @typedef {{ tag: string, commit: string }} Release */

/** The last release. Its Worker runs beside this one during a release. @type {Release} */
export const PREVIOUS = JSON.parse(readFileSync(inRoot('tests', 'skew', 'previous.json'), 'utf8'))

const FOLDER = inRoot('target', 'previous', PREVIOUS.commit)
const BUILD = path.join(FOLDER, 'build')

/**
 * Why a release cannot be built from the history of the repository at `root`; undefined if it can.
 *
 * @param {{ root?: string, release?: Release }} [options]
 */
export function missingHistory({ root = inRoot(), release = PREVIOUS } = {}) {
  const git = (/** @type {string[]} */ ...args) => capture('git', args, { cwd: root })
  const commitOf = (/** @type {string} */ name) => git('rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  const shown = `${release.tag} (${release.commit.slice(0, 12)})`
  if (git('rev-parse', '--git-dir') === null)
    return `there is no Git history, so ${shown} is missing: clone the repository`
  if (commitOf(release.commit) === null) return `the history lacks ${shown}: run \`git fetch --unshallow --tags\``
  // The tag may be missing, but it must not have moved.
  const tagged = commitOf(`refs/tags/${release.tag}`) ?? release.commit
  if (tagged === release.commit) return undefined
  throw new UserError(
    `The tag ${release.tag} is at ${tagged}, but tests/skew/previous.json says ${release.commit}: see tests/skew/README.md.`,
  )
}

const isBuilt = () => WORKER_OUTPUTS.every((name) => existsSync(path.join(BUILD, name)))

/** Builds the Worker of the previous release, once; resolves to its folder. Needs `setup` and the history. */
export async function buildPrevious() {
  if (isBuilt()) return BUILD
  const started = Date.now()
  log(`Building the Worker of ${PREVIOUS.tag} for comparison (once, about a minute) ...`)
  const tree = checkOut()
  await run(process.execPath, ['--input-type=module', '--eval', recipe(tree)], {
    cwd: tree,
    env: pathWithTools(),
    name: `the build of ${PREVIOUS.tag}`,
  })
  rmSync(BUILD, { recursive: true, force: true })
  mkdirSync(`${BUILD}.new`, { recursive: true })
  for (const name of WORKER_OUTPUTS) cpSync(path.join(tree, 'build', name), path.join(`${BUILD}.new`, name))
  renameSync(`${BUILD}.new`, BUILD)
  rmSync(tree, { recursive: true })
  log(`The Worker of ${PREVIOUS.tag} is in ${path.relative(inRoot(), BUILD)} (${duration(started)}).`)
  return BUILD
}

/** Checks the release's files out, with the npm packages of this tree. */
function checkOut() {
  const tree = path.join(FOLDER, 'tree')
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  const archive = path.join(FOLDER, 'tree.tar')
  execFileSync('git', ['archive', '--format=tar', `--output=${archive}`, PREVIOUS.commit], { cwd: inRoot() })
  execFileSync('tar', ['-xf', archive, '-C', tree])
  rmSync(archive)
  symlinkSync(inRoot('node_modules'), path.join(tree, 'node_modules'), 'junction')
  return tree
}

/**
 * A module that builds the release by the release's own scripts. It does not run the release's
 * `npm run build`, which would install packages over those of this tree.
 *
 * @param {string} tree
 */
function recipe(tree) {
  const script = (/** @type {string} */ name) =>
    JSON.stringify(pathToFileURL(path.join(tree, 'scripts', 'lib', name)).href)
  return `
    import { buildWorker } from ${script('build.mjs')}
    import { ensureTools } from ${script('tools.mjs')}
    await buildWorker(await ensureTools())`
}

/** The release uses the wasm-bindgen of this tree, if both need the same version. */
const pathWithTools = () => ({ PATH: [path.join(TOOLS, 'bin'), process.env.PATH].join(path.delimiter) })
