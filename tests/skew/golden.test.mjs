// The built Worker must answer from the records of each release as that release did.
// `crates/catalog/tests/golden.rs` reads the same records natively.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startWorker } from '../worker/harness/workerd.mjs'
import { compared } from './support/differences.mjs'
import { kept, namespacesOf, readGolden, releases } from './support/golden.mjs'

test('the golden files of the previous release exist', () => assert.ok(releases().includes('v0.1.0')))

for (const release of releases()) {
  describe(`the records of ${release}`, () => {
    const answers = readGolden(release, 'answers.json')
    let worker
    before(async () => {
      worker = await startWorker({ kv: namespacesOf(readGolden(release, 'records.json')) })
    })
    after(() => worker?.stop())

    for (const { request, answer } of answers) {
      const asked = [request.path, ...Object.entries(request.headers ?? {}).flat()].join(' ')
      test(asked, async () => {
        const now = kept(await worker.rawRequest(request))
        assert.deepEqual(...compared(request, answer, now))
      })
    }
  })
}
