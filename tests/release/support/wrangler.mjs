import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { temporaryFolder } from '../../cli/support/repo.mjs'
import { WRANGLER } from '../../edge/support/edge.mjs'

const WHAT = {
  // slotctl is killed after the call took effect, before it gets the result.
  kill: '"$WRANGLER" "$@"; kill -9 $PPID',
  fail: 'echo "made to fail" >&2; exit 1',
  // The call takes effect, but reports a failure.
  lose: '"$WRANGLER" "$@" >/dev/null; echo "made to fail" >&2; exit 1',
  // The following status call fails too.
  vanish: '"$WRANGLER" "$@" >/dev/null; touch "$0.away"; echo "made to fail" >&2; exit 1',
}

/** Creates a stand-in for wrangler with a failure at the `nth` upload or deployment, or from there on. */
export function mishap(what, nth, { andAfter = false } = {}) {
  const folder = temporaryFolder('mishap')
  const file = path.join(folder, 'wrangler')
  writeFileSync(
    file,
    `#!/bin/sh
WRANGLER='${WRANGLER}'
case "$1 $2" in
  'versions upload' | 'versions deploy') ;;
  *) if [ -e "$0.away" ]; then rm "$0.away"; echo "gone" >&2; exit 1; fi; exec "$WRANGLER" "$@" ;;
esac
echo >>'${folder}/calls'
calls=$(wc -l <'${folder}/calls')
if [ "$calls" -${andAfter ? 'ge' : 'eq'} ${nth} ]; then ${WHAT[what]}; else exec "$WRANGLER" "$@"; fi
`,
  )
  chmodSync(file, 0o755)
  return ['--wrangler', file]
}
