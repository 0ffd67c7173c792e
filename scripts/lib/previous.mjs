import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { WORKER_OUTPUTS } from './build.mjs'
import { inRoot, TOOLS } from './paths.mjs'
import { capture, run } from './run.mjs'
import { duration, say, UserError } from './talk.mjs'

/** The last release, whose Worker serves beside this one while that is released. */
export const PREVIOUS = JSON.parse(readFileSync(inRoot('tests', 'skew', 'previous.json'), 'utf8'))

const FOLDER = inRoot('target', 'previous', PREVIOUS.commit)
const BUILD = path.join(FOLDER, 'build')

/** Why the release can't be built from the history that is at `root`; undefined where it can. */
export function missingHistory({ root = inRoot(), release = PREVIOUS } = {}) {
  const git = (...args) => capture('git', args, { cwd: root })
  const commitOf = (name) => git('rev-parse', '--verify', '--quiet', `${name}^{commit}`)
  const shown = `${release.tag} (${release.commit.slice(0, 12)})`
  if (git('rev-parse', '--git-dir') === null) return `there is no Git history, so no ${shown}: clone the repository`
  if (commitOf(release.commit) === null) return `the history lacks ${shown}: \`git fetch --unshallow --tags\` brings it`
  // The commit is enough; but a tag that is there must not have moved.
  const tagged = commitOf(`refs/tags/${release.tag}`) ?? release.commit
  if (tagged === release.commit) return undefined
  throw new UserError(
    `The tag ${release.tag} is at ${tagged}, tests/skew/previous.json says ${release.commit}: tests/skew/README.md tells what belongs to a release.`,
  )
}

const isBuilt = () => WORKER_OUTPUTS.every((name) => existsSync(path.join(BUILD, name)))

/** The folder of the previous release's build, which is made once; needs a set-up machine and the history. */
export async function buildPrevious() {
  if (isBuilt()) return BUILD
  const started = Date.now()
  say(`Building the Worker of ${PREVIOUS.tag}, to compare with (once, about a minute) ...`)
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
  say(`It is in ${path.relative(inRoot(), BUILD)} (${duration(started)}).`)
  return BUILD
}

/** The release's files, with this tree's npm packages. */
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
 * The release builds itself, by its own scripts. Not by its `npm run build`, which would
 * install its packages over those of this tree.
 */
function recipe(tree) {
  const script = (name) => JSON.stringify(pathToFileURL(path.join(tree, 'scripts', 'lib', name)).href)
  return `
    import { buildWorker } from ${script('build.mjs')}
    import { ensureTools } from ${script('tools.mjs')}
    await buildWorker(await ensureTools())`
}

/** wasm-bindgen of this tree is the release's too, as long as both want the same version. */
const pathWithTools = () => ({ PATH: [path.join(TOOLS, 'bin'), process.env.PATH].join(path.delimiter) })
