import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo } from '../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { startHost } from './support/host.mjs'

const NAME = 'prompts/extraction'
const SOON = { SLOTCTL_TIMEOUT: '1' }

describe('a remote that stops answering', () => {
  let kv
  before(async () => {
    kv = await startKv({ pairs: 4 })
  })
  after(() => kv?.stop())

  /** A clone of a host, and a pair of namespaces that are synced with it. */
  async function synced() {
    const [remote, pair] = [extractionRepo().publish(), kv.pair()]
    remote.git('config', 'http.receivepack', 'true')
    const host = await startHost(remote.dir)
    const clone = remote.clone()
    clone.git('remote', 'set-url', 'origin', host.url)
    // A short patience only while the host hangs: a busy machine is slow too.
    const env = () => gitEnv(host.hangs ? SOON : {})
    const run = (...args) => slotctl([...args, '--repo', clone.dir, '--json'], { env: env() })
    const onKv = (...args) => run(...args, '--local', kv.url, '--config', pair.config)
    assert.equal((await onKv('sync')).code, 0)
    return { remote, host, clone, run, onKv, pair }
  }

  test('ends a push with what is known, and the same push completes it', async () => {
    const { remote, host, clone, run } = await synced()
    try {
      clone.version(NAME, 'v1.2.0', { commit: clone.commit({ 'prompts/extraction.md': 'Newer.\n' }) })
      clone.version(NAME, 'v1.3.0', { commit: clone.commit({ 'prompts/extraction.md': 'Newest.\n' }) })
      host.hangs = 'push'
      const { code, stderr, json } = await run('push', '--tags')
      assert.equal(code, 1, stderr)
      assert.match(stderr, /refused: origin: the push of 3 refs was ended: it was not done after 10 s/)
      assert.match(stderr, /not known which arrived\n +hint: run the command again/)
      assert.doesNotMatch(stderr, /nothing was pushed/)
      assert.match(json.refused[0].what, /not known which arrived/)
      host.hangs = undefined
      const again = await run('push', '--tags')
      assert.equal(again.code, 0, again.stderr)
      const tags = remote.git('tag', '--list', `components/${NAME}/v1.[23].0`)
      assert.deepEqual(tags.split('\n').length, 2)
    } finally {
      host.stop()
    }
  })

  test('does not hold up a rollback, which can be finished later', async () => {
    const { remote, host, clone, onKv, pair } = await synced()
    try {
      // The remote has another tag than the clone, which the rollback has to fetch.
      const colleague = remote.clone()
      // Another time makes it another tag object.
      colleague.now = Math.floor(Date.now() / 1000) - 60
      colleague.slot(NAME, 'staging', 'v1.1.0')
      colleague.git('push', '--quiet', '--force', 'origin', '--tags')
      host.hangs = 'fetch'
      const { code, stderr, json } = await onKv('rollback', NAME, 'staging', '--to', 'v1.0.0')
      assert.equal(code, 1, stderr)
      assert.match(stderr, /origin: cannot be reached: it sent nothing for 1 s/)
      assert.match(stderr, /To finish:\n +slotctl tag set prompts\/extraction staging v1.0.0/)
      assert.equal(json.pushed, false)
      assert.equal((await pair.slots.json(`${NAME}@staging`)).targets[0].version, 'v1.0.0')
      host.hangs = undefined
      const finish = async () => {
        for (const command of json.finish) {
          const [, ...args] = command.split(' ')
          const { code, stderr } = await slotctl(args, { cwd: clone.dir, env: gitEnv() })
          if (code !== 0) return stderr
        }
      }
      assert.match(await finish(), /moved on origin since this clone last saw it.*\n +hint: see theirs: git .*fetch/)
      // Not from the host: this process serves it.
      clone.git('fetch', '--quiet', '--force', remote.dir, 'tag', `components/${NAME}/staging`)
      assert.equal(await finish(), undefined)
      const sync = await onKv('sync')
      assert.equal(sync.code, 0, sync.stderr)
      const record = await pair.slots.json(`${NAME}@staging`)
      assert.deepEqual([record.targets[0].version, record.hold], ['v1.0.0', undefined])
    } finally {
      host.stop()
    }
  })
})
