import { capture } from './run.mjs'
import { UserError } from './talk.mjs'

const SHOWN = 5

/** What a version of the Worker is called at Cloudflare: `{ tag, message }`, of the commit that it is built from. */
export function versionName({ allowDirty }) {
  const changed = capture('git', ['status', '--porcelain'])
  if (changed === null) {
    throw new UserError(
      'This is no Git repository, or git is missing: a version is named by the commit that it is built from.',
    )
  }
  if (changed && !allowDirty) refuseDirty(changed.split('\n'))
  // As `slotctl release` names it: by the nearest tag that is none of a component.
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
  throw new UserError('There is no commit yet: a version is named by the commit that it is built from.')
}

function refuseDirty(lines) {
  const more = lines.length > SHOWN ? `\n    and ${lines.length - SHOWN} more` : ''
  throw new UserError(
    `What would be deployed is in no commit: commit it, or say --allow-dirty.\n${lines
      .slice(0, SHOWN)
      .map((line) => `    ${line}`)
      .join('\n')}${more}`,
  )
}
