// The example Worker in workerd, bound to the built resolver under Conductor's names.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, afterEach, before, describe, test } from 'node:test'

import { build } from 'esbuild'
import { parse } from 'yaml'

import { point } from './assignment.mjs'
import { startWorker } from './harness/workerd.mjs'
import { bytes, put, readVectors } from './vectors.mjs'

const EXAMPLE = new URL('../../examples/conductor/', import.meta.url)
const NAME = 'prompts/extraction'
const script = readVectors('catalog.json')
const record = (version) => script.kv.COMPONENTS[`${NAME}@${version}`]
const content = (version) => bytes(script.kv.COMPONENTS[`sha256/${record(version).digest}`]).toString()

/** Bundles the example like wrangler. */
async function bundled() {
  const entryPoints = [new URL('src/index.js', EXAMPLE).pathname]
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    format: 'esm',
    write: false,
    loader: { '.yaml': 'text' },
  })
  return outputFiles[0].text
}

/** A slot that is split between arms by weight. */
function slot(name, weights) {
  const target = ([arm, [version, weight]]) => {
    const { author, path, format, ...snapshot } = record(version)
    return { slot: arm, ...snapshot, weight }
  }
  return { [`${NAME}@${name}`]: { format: 1, slot: name, targets: Object.entries(weights).map(target) } }
}

/** The slots that the example's rollouts.toml compiles to. */
const SLOTS = {
  ...slot('production', { canary: ['v1.1.0', 10_000], production: ['v1.0.0', 90_000] }),
  ...slot('experiment', { control: ['v1.0.0', 50_000], treatment: ['v1.1.0', 50_000] }),
  ...slot('canary', { canary: ['v1.1.0', 100_000] }),
  ...slot('latest', { latest: ['v1.1.0', 100_000] }),
}

let worker
before(async () => {
  const caller = {
    modules: [{ name: 'example.mjs', source: await bundled() }],
    services: ['COMPONENTS', 'COMPONENTS_KV', 'EDGIT'],
  }
  worker = await startWorker({ kv: { SLOTS: new Map(), COMPONENTS: new Map() }, caller })
  put(worker.kv, script.kv)
  put(worker.kv, { SLOTS })
})
after(() => worker?.stop())
afterEach(() => worker.kv.heal())

const ask = async (path) => (await worker.fetch(path)).json()

describe('components read by Conductor', () => {
  for (const [path, version] of [
    ['/loader?uri=prompt://extraction@v1.0.0', 'v1.0.0'],
    ['/loader?uri=prompt://extraction', 'v1.1.0'],
    ['/loader?uri=prompt://extraction@~1.0', 'v1.0.0'],
    ['/value?value=prompts/extraction@v1.0.0', 'v1.0.0'],
    ['/value?value=prompts/extraction', 'v1.1.0'],
    ['/value?value=prompts/extraction@^1.0.0%20%3C1.1.0', 'v1.0.0'],
  ]) {
    test(path, async () => assert.equal(await ask(path), content(version)))
  }

  test('have metadata and a list of versions', async () => {
    const { content: text, metadata } = await ask('/sdk?ref=extraction@canary&type=prompt')
    assert.deepEqual([text, metadata.version, metadata.sha], [content('v1.1.0'), 'v1.1.0', record('v1.1.0').sha])
    assert.ok((await ask('/sdk/versions?name=extraction')).includes('v1.1.0'))
    assert.ok((await ask('/loader/versions?type=prompt&path=extraction')).includes('v1.0.0'))
  })

  test('that do not exist are not found, and unreadable ones are an error', async () => {
    assert.match((await ask('/loader?uri=prompt://extraction@nowhere')).error, /^Component not found/)
    worker.kv.fail({ status: 500 })
    assert.match((await ask('/loader?uri=template://logo@production')).error, /^KV GET failed: 503/)
  })
})

describe('ensembles without Math.random()', () => {
  for (const [ensemble, arms] of [
    ['canary', { canary: 10_000, production: 100_000 }],
    ['progressive-rollout', { canary: 10_000, production: 100_000 }],
    ['ab-test', { control: 50_000, treatment: 100_000 }],
  ]) {
    test(`${ensemble}: every user's arm follows from the weights and the key`, async () => {
      const seen = new Set()
      for (let user = 0; user < 60; user += 1) {
        const [{ slot: arm, assignment, content: text, version }] = (await ask(`/ensembles/${ensemble}?user=u${user}`))
          .steps
        const expected = Object.entries(arms).find(([, upper]) => point(NAME, `u${user}`) < upper)[0]
        assert.deepEqual([arm, assignment, text], [expected, 'key', content(version)])
        seen.add(arm)
      }
      assert.deepEqual([...seen].sort(), Object.keys(arms).sort())
    })
  }

  test('requests without a user get a random arm', async () => {
    assert.equal((await ask('/ensembles/ab-test')).steps[0].assignment, 'random')
  })

  test('exist beside the same ones with Math.random()', () => {
    const names = (folder) => readdirSync(new URL(folder, EXAMPLE)).filter((name) => name.endsWith('.yaml'))
    assert.deepEqual(names('ensembles/'), names('ensembles/by-chance/'))
    for (const name of names('ensembles/')) {
      const [mine, guide] = ['ensembles/', 'ensembles/by-chance/'].map((folder) =>
        readFileSync(new URL(folder + name, EXAMPLE), 'utf8'),
      )
      assert.equal(parse(mine).ensemble, parse(guide).ensemble)
      assert.doesNotMatch(mine, /Math\.random|condition:/)
      assert.match(guide, /Math\.random|condition:/)
    }
  })
})
