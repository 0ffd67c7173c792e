import { UserError } from './cli.mjs'
import { capture } from './run.mjs'

/** How many changed files an error lists. */
const SHOWN = 5

/**
 * The tag and message of a Worker version at Cloudflare, from the commit that it is built from.
 *
 * @param {{ allowDirty?: boolean }} options
 */
export function versionName({ allowDirty }) {
  const changed = capture('git', ['status', '--porcelain'])
  if (changed === null) {
    throw new UserError(
      'This is not a Git repository, or Git is missing: a version is named after the commit that it is built from.',
    )
  }
  if (changed && !allowDirty) refuseDirty(changed.split('\n'))
  // The same name that `slotctl release` uses: the nearest tag that does not belong to a component.
  const tag = capture('git', [
    'describe',
    '--tags',
    '--always',
    '--dirty',
    '--exclude=components/*',
    '--exclude=logic/*',
  ])
  const message = capture('git', ['log', '-1', '--format=%s'])
  if (tag && message) return { tag, message }
  throw new UserError('The repository has no commits: a version is named after the commit that it is built from.')
}

/** @param {string[]} lines */
function refuseDirty(lines) {
  const shown = lines.slice(0, SHOWN).map((line) => `    ${line}`)
  if (lines.length > SHOWN) shown.push(`    and ${lines.length - SHOWN} more`)
  throw new UserError(`There are uncommitted changes: commit them, or use --allow-dirty.\n${shown.join('\n')}`)
}
