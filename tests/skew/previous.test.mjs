import assert from 'node:assert/strict'
import test from 'node:test'

import { missingHistory } from '../../scripts/lib/previous.mjs'
import { Repo, temporaryFolder } from '../cli/support/repo.mjs'

test('a missing history is reported with the command that fetches it', () => {
  const origin = new Repo()
  const release = { tag: 'v1.0.0', commit: origin.commit({ a: '1' }) }
  origin.git('tag', '-a', '-m', 'One', 'v1.0.0')
  origin.commit({ a: '2' })
  const clone = (...how) => {
    const shallow = new Repo(temporaryFolder('shallow'))
    shallow.git('clone', '--quiet', ...how, `file://${origin.dir}`, '.')
    return shallow
  }
  const missing = ({ dir }) => missingHistory({ root: dir, release })

  assert.equal(missing(origin), undefined)
  assert.equal(missing(clone('--no-tags')), undefined)
  const shallow = clone('--depth', '1')
  assert.match(missing(shallow), /the history lacks v1\.0\.0 \([0-9a-f]{12}\): run `git fetch --unshallow --tags`/)
  shallow.git('fetch', '--quiet', '--unshallow', '--tags')
  assert.equal(missing(shallow), undefined)

  assert.match(
    missing({ dir: temporaryFolder('plain') }),
    /no Git history, so v1\.0\.0 .* is missing: clone the repository/,
  )
  shallow.git('tag', '--force', 'v1.0.0', 'HEAD')
  assert.throws(() => missing(shallow), /The tag v1\.0\.0 is at [0-9a-f]{40}/)
})
