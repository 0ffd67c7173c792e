// Runs the jobs of release.yml with the real `slotctl release` on the local edge, and checks which
// version gets which traffic.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { parse } from 'yaml'

import { startLocalEdge } from '../../scripts/lib/edge.mjs'
import { ACCOUNT, startCloudflare, TOKEN } from '../cli/support/cloudflare.mjs'
import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo, Repo } from '../cli/support/repo.mjs'
import { binary, gitEnv, slotctl } from '../cli/support/slotctl.mjs'
import { BUILD, WRANGLER } from '../edge/support/edge.mjs'
import { faultyBuild } from '../edge/support/faulty.mjs'
import { startKvServer } from '../worker/harness/kv-server.mjs'
import { job, step } from './support/job.mjs'
import { text } from './support/lint.mjs'

const workflow = parse(text('.github/workflows/release.yml'))
const { jobs } = workflow

describe('the jobs of release.yml', () => {
  let kv
  let copy
  let cloudflare
  let config
  before(async () => {
    kv = await startKv({ pairs: 1 })
    cloudflare = await startCloudflare(kv.url)
    const pair = kv.pair()
    config = `name = "component-resolver"\n${readFileSync(pair.config, 'utf8').replaceAll('env.staging.', 'env.production.')}`
    const { code, stderr } = await slotctl(
      ['sync', '--local', kv.url, '--config', pair.config, '--repo', extractionRepo().dir],
      { env: gitEnv() },
    )
    assert.equal(code, 0, stderr)
    // The edge reads a copy in memory, which is ten times as fast.
    copy = await startKvServer({ SLOTS: await all(pair.slots), COMPONENTS: await all(pair.components) })
  })
  after(async () => {
    cloudflare?.stop()
    await copy?.stop()
    await kv?.stop()
  })

  /** Prepares a checkout of v0.2.0 with its build, and an edge on which v0.1.0 is deployed. */
  async function stage(body) {
    const repo = new Repo()
    repo.commit({ 'wrangler.toml': config, '.gitignore': '/target\n' }, 'Answer sooner')
    repo.git('tag', '-a', '-m', 'v0.2.0', 'v0.2.0')
    mkdirSync(path.join(repo.dir, 'target', 'release'), { recursive: true })
    symlinkSync(binary(), path.join(repo.dir, 'target', 'release', 'slotctl'))
    const edge = await startLocalEdge({
      worker: 'component-resolver-production',
      kv: { address: copy.address, namespaces: copy.store.names() },
      spread: 100,
    })
    try {
      const old = (await edge.upload({ build: BUILD, tag: 'v0.1.0' })).id
      await edge.deploy([[old, 100]], { message: 'by hand' })
      await body({ edge, old, run: runner(repo.dir, edge), ramp: () => ramp(edge, old) })
    } finally {
      await edge.stop()
    }
  }

  const all = async (namespace) =>
    new Map(
      await Promise.all(
        Object.keys(await namespace.list()).map(async (key) => /** @type {const} */ ([key, await namespace.get(key)])),
      ),
    )

  /** Runs a job's step with the secrets and variables that docs/deploying.md sets. */
  function runner(cwd, edge) {
    const secrets = { CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT, RESOLVER_TOKEN: '' }
    const vars = { PRODUCTION_URL: edge.url, RELEASE_STEPS: '10', RELEASE_BAKE: '0s' }
    const machine = {
      CLOUDFLARE_API_BASE_URL: cloudflare.url,
      SLOTCTL_WRANGLER: WRANGLER,
      EDGE_API: edge.apiUrl,
      EDGE_BUILD: BUILD,
    }
    return async (name, title, extra = {}) => {
      const one = job({ secrets, vars }, { cwd, env: workflow.env })
      const answer = await one.run(step(jobs[name].steps, title), { ...machine, ...extra })
      assert.ok(!answer.said.includes(TOKEN))
      return { ...answer, summary: one.summary }
    }
  }

  /** The shares of every deployment after the first, in order. */
  const ramp = (edge, old) => {
    const share = ({ version_id: id, percentage }) => `${id === old ? 'old' : 'new'} ${percentage}`
    return edge.worker
      .deployments()
      .toReversed()
      .slice(1)
      .map(({ versions }) => versions.map(share).join(', '))
  }

  const succeeds = async (answer) => {
    const { code, said } = await answer
    assert.equal(code, 0, said)
  }

  test('go from 0 to 10 to 100 %, one job each', () =>
    stage(async ({ run, ramp, edge }) => {
      await succeeds(run('production-0', 'Check that a release can start'))
      assert.deepEqual(ramp(), [], 'looking does nothing')
      const begun = await run('production-0', 'Upload, and check at 0 %')
      assert.deepEqual([begun.code, begun.outputs], [0, { started: 'true' }], begun.said)
      assert.match(begun.summary(), /^```\n.*0 %/s)
      assert.deepEqual(ramp(), ['new 0, old 100'])
      assert.equal(
        (await run('production-0', 'Check that a release can start')).code,
        1,
        'another run refuses before it has started',
      )
      await succeeds(run('production-10', 'Increase to 10 %'))
      assert.deepEqual(ramp().slice(1), ['new 10, old 90'])
      await succeeds(run('production-100', 'Increase to 100 %'))
      assert.deepEqual(ramp().slice(2), ['new 100, old 0', 'new 100'])
      assert.equal(edge.worker.deployable()[0].annotations['workers/tag'], 'v0.2.0')
      await succeeds(run('production-rollback', 'Roll back'))
      assert.equal(ramp().length, 4, 'what is released is not undone')
    }))

  test('roll back without an approval, and when a check fails', () =>
    stage(async ({ run, ramp }) => {
      await succeeds(run('production-0', 'Upload, and check at 0 %'))
      await succeeds(run('production-rollback', 'Roll back'))
      assert.deepEqual(ramp(), ['new 0, old 100', 'old 100'])
      const { code, outputs, said } = await run('production-0', 'Upload, and check at 0 %', {
        EDGE_BUILD: faultyBuild({ unhealthy: true }),
      })
      assert.deepEqual([code, outputs], [1, { started: 'true' }], said)
      assert.match(said, /healthz/)
      assert.deepEqual(ramp().slice(2), ['new 0, old 100', 'old 100'])
      await succeeds(run('production-rollback', 'Roll back'))
      assert.equal(ramp().length, 4)
    }))
})
