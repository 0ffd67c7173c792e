import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { inRoot } from '../../scripts/lib/paths.mjs'
import { readPage } from './support/page.mjs'
import { CONTENTS, startStage } from './support/stage.mjs'

const strategies = readdirSync(inRoot('docs', 'strategies'))
  .filter((file) => file.endsWith('.md') && file !== 'README.md')
  .map((file) => `strategies/${file.replace(/\.md$/, '')}`)

// An isolate remembers for some minutes that a version was revoked, so this page comes last.
const pages = [...strategies, 'revoke']

describe('pages of docs that are played', () => {
  let stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage?.stop())

  // Runs the commands of every page, and checks its tables.
  for (const page of pages) {
    test(page, async (context) => {
      await stage.begin()
      const groups = {}
      for (const step of readPage(page)) {
        await context.test(step.title, () => play(stage, step, groups))
      }
    })
  }
})

async function play(stage, { policy, commands, flags, exit, rows }, groups) {
  if (policy) stage.setPolicy(policy)
  if (commands) await stage.type(commands)
  await stage.sync({ flags, exit })
  for (const row of rows) {
    if (row.keys) await assertShares(stage, row, groups)
    else await assertGets(stage, row)
  }
}

async function assertGets(stage, { asked, path, headers, version, slot, assignment }) {
  const got = await stage.get(path, headers)
  if (/^\d+$/.test(version))
    return assert.deepEqual([got.status, JSON.parse(got.body).code], [Number(version), slot], asked)
  assert.deepEqual([got.version, got.slot, got.body], [version, slot, CONTENTS[version]], asked)
  if (assignment) assert.equal(got.assignment, assignment, asked)
}

/**
 * Sends two requests for each of many callers: the shares are right within three standard deviations,
 * a caller always gets the same version, and keeps it while its share grows.
 */
async function assertShares(stage, { keys, slot, shares }, groups) {
  const callers = Array.from({ length: keys }, (_, number) => `user-${number}`)
  const ask = (key) => stage.get(`/components/prompts/extraction@${slot}`, { 'Component-Version-Key': key })
  const askAll = async () => (await Promise.all(callers.map(ask))).map(({ version, slot }) => ({ version, slot }))
  const got = await askAll()
  assert.deepEqual(await askAll(), got, 'sticky')
  for (const [version, { percent, slot: arm }] of Object.entries(shares)) {
    const group = new Set(callers.filter((_, at) => got[at].version === version))
    const arms = new Set(got.filter((one) => one.version === version).map((one) => one.slot))
    if (arm) assert.deepEqual([...arms], [arm], `${version} is reported as ${arm}`)
    const share = percent / 100
    const slack = 3 * Math.sqrt(keys * share * (1 - share))
    assert.ok(Math.abs(group.size - keys * share) <= slack, `${version}: ${group.size} of ${keys}`)
    assertNested(groups[`${slot} ${version}`] ?? new Set(), group)
    groups[`${slot} ${version}`] = group
  }
}

function assertNested(before, now) {
  const [small, large] = before.size <= now.size ? [before, now] : [now, before]
  for (const caller of small) assert.ok(large.has(caller), `${caller} flipped`)
}
