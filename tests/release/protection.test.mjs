import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { sha256 } from '../cli/support/kv.mjs'
import { faultyBuild } from '../edge/support/faulty.mjs'
import { refsFile, startStage } from './support/stage.mjs'

const TOKEN = 's3cret-token'
const vars = { READ_TOKENS: JSON.stringify({ [sha256(TOKEN)]: ['*'] }) }
const env = { RESOLVER_TOKEN: TOKEN }
const BACK = ['new 0, old 100', 'old 100']

describe('a version that protects less', () => {
  let stage
  let edge
  before(async () => {
    stage = await startStage()
    edge = await stage.begin({ vars })
  })
  after(async () => {
    await edge?.stop()
    await stage?.stop()
  })

  const refs = refsFile('prompts/extraction@production', 'prompts/extraction@v1.0.0')
  const release = async (faults, ...flags) => {
    await edge.settle()
    return edge.faulty(faults, ['--refs', refs, ...flags], { env })
  }

  const SLOT = 'GET /components/prompts/extraction@production'
  const EXACT = 'GET /components/prompts/extraction@v1.0.0'
  const PUBLIC = 'public, max-age=31536000, immutable'
  for (const [what, faults, reasons] of /** @type {[what: string, faults: object, reasons: string[]][]} */ ([
    [
      'because its READ_TOKENS are lost',
      { loses: 'READ_TOKENS' },
      [
        `${SLOT} (and 2 more) without a token: status 200, the old version's is 401`,
        `${SLOT} (and 2 more) with a wrong token: status 200, the old version's is 401`,
        `${EXACT} with RESOLVER_TOKEN: cache-control is ${PUBLIC}, the old version's is private, max-age=31536000, immutable`,
      ],
    ],
    [
      'because it admits every token',
      { admits: TOKEN },
      [`${SLOT} (and 2 more) with a wrong token: status 200, the old version's is 401`],
    ],
    [
      'because it lets public caches keep private content',
      { headers: { 'Cache-Control': PUBLIC } },
      [`${SLOT} with RESOLVER_TOKEN: cache-control is ${PUBLIC}, the old version's is private, no-cache`],
    ],
    [
      'because caches do not tell its callers apart',
      { headers: { Vary: null } },
      [`${SLOT} (and 1 more) with RESOLVER_TOKEN: vary is missing, the old version's is Authorization`],
    ],
    [
      'because browsers guess the type',
      { headers: { 'X-Content-Type-Options': null } },
      [
        `${SLOT} (and 1 more) without a token: x-content-type-options is missing, the old version's is nosniff`,
        `${SLOT} (and 1 more) with RESOLVER_TOKEN: x-content-type-options is missing, the old version's is nosniff`,
      ],
    ],
    [
      'because browsers run scripts of its answers',
      { headers: { 'Content-Security-Policy': "default-src 'none'; script-src *" } },
      [`${SLOT} (and 1 more) with RESOLVER_TOKEN: content-security-policy is default-src 'none'; script-src *, the`],
    ],
    [
      'because it does not say how to authenticate',
      { headers: { 'WWW-Authenticate': null } },
      [`${SLOT} (and 1 more) without a token: www-authenticate is missing, the old version's is Bearer`],
    ],
    [
      'because pages of every origin can read it',
      { headers: { 'Access-Control-Allow-Origin': '*' } },
      [
        `${SLOT} (and 1 more) with RESOLVER_TOKEN: access-control-allow-origin is *, the old version's is missing`,
        `OPTIONS /components/prompts/extraction@production without a token: access-control-allow-origin is *, the`,
      ],
    ],
  ])) {
    test(`is rolled back ${what}`, async () => {
      const { code, json, stderr } = await release(faults)
      assert.equal(code, 1, stderr)
      assert.deepEqual([json.outcome, edge.ramp()], ['back', BACK], stderr)
      const wrong = stderr.split('\n').filter((line) => line.startsWith('wrong: '))
      for (const reason of reasons) {
        assert.ok(
          wrong.some((line) => line.startsWith(`wrong: protection: ${reason}`)),
          `${reason}\n${stderr}`,
        )
      }
      assert.ok(!`${stderr}${JSON.stringify(json)}`.includes(TOKEN))
    })
  }

  test('is released with --allow-looser, which prints what it protects less', async () => {
    const faults = { headers: { 'X-Content-Type-Options': null } }
    const { code, json, stderr } = await release(faults, '--steps', '100', '--allow-looser')
    assert.deepEqual([code, json.outcome], [0, 'released'], stderr)
    assert.match(stderr, /^warning: protection: GET .* x-content-type-options is missing/m)
  })

  test('and one that protects more is released', async () => {
    const open = await stage.begin({ vars, first: faultyBuild({ loses: 'READ_TOKENS' }) })
    try {
      const { code, json, stderr } = await open.run(['--refs', refs, '--steps', '100', '--bake', '0s'], { env })
      assert.deepEqual([code, json.outcome], [0, 'released'], stderr)
    } finally {
      await open.stop()
    }
  })
})
