import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo } from '../cli/support/repo.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'
import { FaultyProxy } from './support/proxy.mjs'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR
const TAG = 'components/prompts/extraction'
const CONTENT = `sha256/${createHash('sha256').update('Extract it all.\n').digest('hex')}`

/** A time in the format of records. */
const written = (time) => new Date(time).toISOString().replace(/\.\d+/, '')

describe('a clock that is a year ahead', () => {
  let kv
  let proxy
  before(async () => {
    kv = await startKv({ pairs: 3 })
    proxy = await FaultyProxy.start(kv.url)
  })
  after(async () => {
    await proxy?.stop()
    await kv?.stop()
  })

  /** Runs a command, at a time of the API's clock. */
  async function at(time, command, repo, { config }) {
    Object.assign(proxy, { calls: [], meet: () => null, date: new Date(time) })
    const where = ['--local', proxy.url, '--repo', repo.dir, '--config', config, '--json']
    const ended = await slotctl([...command, ...where])
    assert.equal(ended.code, 0, ended.stderr)
    return ended
  }

  test('deletes no content early: the clock of the API counts, and the difference is named', async () => {
    // This computer is a year ahead of the API.
    const [repo, pair, now] = [extractionRepo(), kv.pair(), Date.now() - YEAR]
    const prune = (hours) => at(now + hours * HOUR, ['sync', '--prune'], repo, pair)
    const first = await prune(0)
    assert.match(first.stderr, /warning: clock: the clock of this computer is \d+ \w+ ahead of that of local KV/)
    repo.git('tag', '--delete', `${TAG}/v1.1.0`, `${TAG}/staging`)
    const [noted] = (await prune(1)).json.plan.unreferenced
    assert.deepEqual([noted.key, noted.since.slice(0, 16)], [CONTENT, written(now + HOUR).slice(0, 16)])
    assert.deepEqual((await prune(24)).json.plan.deletions, [])
    assert.deepEqual((await prune(26)).json.plan.deletions, [CONTENT, `${CONTENT}@unreferenced`])
  })

  test('does not keep a content for a year: its time is named, and the day begins again', async () => {
    const [repo, pair, now] = [extractionRepo(), kv.pair(), Date.now()]
    const prune = (hours) => at(now + hours * HOUR, ['sync', '--prune'], repo, pair)
    await prune(0)
    repo.git('tag', '--delete', `${TAG}/v1.1.0`, `${TAG}/staging`)
    await at(now + YEAR, ['sync', '--prune'], repo, pair)
    const { stderr, json } = await prune(1)
    assert.match(stderr, /@unreferenced: no record names this content since .*, which is in the future/)
    assert.equal(json.plan.unreferenced[0].since.slice(0, 13), written(now + HOUR).slice(0, 13))
    const last = await prune(26)
    assert.deepEqual(last.json.plan.deletions, [CONTENT, `${CONTENT}@unreferenced`])
    assert.doesNotMatch(last.stderr, /in the future/)
  })

  test('dates a hold by the clock of the API', async () => {
    const [repo, pair, now] = [extractionRepo(), kv.pair(), Date.now() - YEAR]
    await at(now, ['sync'], repo, pair)
    const rollback = ['rollback', 'prompts/extraction', 'staging', '--to', 'v1.0.0']
    const { stderr } = await at(now, rollback, repo, pair)
    assert.match(stderr, /warning: clock: /)
    const { hold } = await pair.slots.json('prompts/extraction@staging')
    assert.equal(hold.at.slice(0, 13), written(now).slice(0, 13))
  })
})
