// `npm run example:conductor` without the builds: two `wrangler dev`, real Git tags, a real
// `slotctl sync`, and the example bound to the resolver under Conductor's names.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startExample } from '../../scripts/lib/conductor.mjs'
import { temporaryFolder } from '../cli/support/repo.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'

let servers
before(async () => {
  servers = await startExample({ port: 0, resolverPort: 0, folder: temporaryFolder('conductor') })
})
after(() => servers?.stop())

async function ask(path) {
  const response = await fetch(`${servers.example.url}${path}`)
  return { status: response.status, body: /** @type {any} */ (await response.json()) }
}

const inGit = (version) =>
  execFileSync('git', [
    '-C',
    servers.repo,
    'show',
    `components/prompts/extraction/${version}:prompts/extraction.md`,
  ]).toString()

describe('a Conductor project on the resolver', () => {
  test('reads the contents of Git, by each form of key', async () => {
    const old = inGit('v1.0.0')
    assert.deepEqual((await ask('/loader?uri=prompt://extraction@v1.0.0')).body, old)
    assert.deepEqual((await ask('/value?value=prompts/extraction@v1.0.0')).body, old)
    const { content, metadata } = (await ask('/sdk?ref=extraction@canary')).body
    assert.equal(content, inGit('v1.1.0'))
    assert.deepEqual([metadata.version, metadata.type, metadata.slot], ['v1.1.0', 'prompt', 'canary'])
    assert.ok((await ask('/loader/versions?type=prompt&path=extraction')).body.includes('experiment'))
    assert.ok((await ask('/sdk/versions?name=extraction')).body.includes('v2.0.0-beta.2'))
  })

  test("uses only existing components, and a slot of a split only in the guide's ensemble", async () => {
    const example = fileURLToPath(new URL('../../examples/conductor', import.meta.url))
    const { code, json } = await slotctl(['lint', example, '--repo', servers.repo, '--json'])
    const found = json.findings.map(({ file, code }) => [file, code])
    assert.deepEqual([code, found], [0, [['ensembles/by-chance/canary.yaml', 'redundant-slot']]])
  })

  test('keeps every user in one arm', async () => {
    const arms = new Set()
    for (let user = 0; user < 20; user += 1) {
      const runs = [await ask(`/ensembles/ab-test?user=u${user}`), await ask(`/ensembles/ab-test?user=u${user}`)]
      const [first, second] = runs.map(({ body }) => body.steps[0])
      assert.deepEqual(first, second)
      assert.equal(first.assignment, 'key')
      arms.add(first.slot)
    }
    assert.deepEqual([...arms].sort(), ['control', 'treatment'])
  })
})
