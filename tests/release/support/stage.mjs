import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { startLocalEdge } from '../../../scripts/lib/edge.mjs'
import { startKv } from '../../cli/support/kv.mjs'
import { extractionRepo, Repo, temporaryFolder } from '../../cli/support/repo.mjs'
import { gitEnv, slotctl } from '../../cli/support/slotctl.mjs'
import { BUILD, WORKER, WRANGLER } from '../../edge/support/edge.mjs'
import { faultyBuild } from '../../edge/support/faulty.mjs'
import { startKvServer } from '../../worker/harness/kv-server.mjs'

const ENV = 'staging'

/**
 * Starts a real local KV with `prompts/extraction` for slotctl, and a copy of it in memory for the
 * edge, which is ten times as fast.
 */
export async function startStage() {
  const kv = await startKv({ pairs: 1 })
  const pair = kv.pair()
  const where = ['--local', kv.url, '--config', pair.config]
  const synced = await slotctl(['sync', ...where, '--repo', extractionRepo().dir], { env: gitEnv() })
  if (synced.code !== 0) throw new Error(synced.stderr)
  const copy = await startKvServer({ SLOTS: await all(pair.slots), COMPONENTS: await all(pair.components) })
  const stage = {
    kv,
    pair,
    project: checkout(pair.config),
    read: { address: copy.address, namespaces: copy.store.names() },
  }
  const stop = () => Promise.all([kv.stop(), copy.stop()])
  return { ...stage, begin: (options) => begin(stage, options), stop }
}

async function all(namespace) {
  const keys = Object.keys(await namespace.list())
  return new Map(await Promise.all(keys.map(async (key) => /** @type {const} */ ([key, await namespace.get(key)]))))
}

/** The parts of the Worker's checkout that a release reads: v0.2.0 and one more commit. */
function checkout(namespaces) {
  const repo = new Repo()
  const config = `name = "component-resolver"\n${readFileSync(namespaces, 'utf8')}`
  repo.commit({ 'wrangler.toml': config }, 'Begin')
  repo.git('tag', 'v0.2.0')
  // The nearest tag does not belong to the Worker.
  repo.commit({ 'src.txt': 'more' }, '--serve "it" faster: $(rm -rf /)')
  repo.git('tag', 'components/prompts/extraction/v9.9.9')
  return repo
}

/** Starts an edge with `v0.1.0` deployed (the build in the folder `first`), for `slotctl release`. */
async function begin({ kv, project, read }, { spread = 0, vars = {}, first: oldBuild = BUILD } = {}) {
  const edge = await startLocalEdge({ worker: WORKER, kv: read, spread, vars })
  const old = (await edge.upload({ build: oldBuild, tag: 'v0.1.0', message: 'Begin' })).id
  let first
  const settle = async () => {
    first = await edge.deploy([[old, 100]], { message: 'by hand' })
  }
  await settle()
  const where = ['--local', kv.url, '--env', ENV, '--config', path.join(project.dir, 'wrangler.toml')]
  const args = (flags) => {
    const given = (name, value) => (flags.includes(name) ? [] : [name, value])
    return ['release', ...where, ...given('--check-url', edge.url), ...given('--wrangler', WRANGLER), ...flags]
  }
  const env = (build = BUILD) => ({ ...gitEnv(), EDGE_API: edge.apiUrl, EDGE_BUILD: build })
  const run = (flags, { build = BUILD, env: more = {} } = {}) =>
    slotctl([...args(flags), '--json'], { env: { ...env(build), ...more } })
  return {
    edge,
    old,
    args,
    env,
    run,
    /** `run` with one step of 50 %. */
    quick: (flags, options) => run(['--steps', '50', '--bake', '0s', ...flags], options),
    /** `run` with a faulty build. */
    faulty: (faults, flags = [], options) =>
      run(['--bake', '0s', ...flags], { ...options, build: faultyBuild(faults) }),
    /** Gives all traffic to `old`, and forgets earlier deployments. */
    settle,
    /** The shares of `old` and `new` in every deployment since `settle`. */
    ramp: () => {
      const all = edge.worker.deployments()
      const since = all
        .slice(
          0,
          all.findIndex(({ id }) => id === first.id),
        )
        .toReversed()
      return since.map(({ versions }) => shares(versions, old))
    },
    message: () => edge.worker.deployments()[0].annotations['workers/message'],
    latest: () => edge.worker.deployable()[0],
    stop: () => edge.stop(),
  }
}

const shares = (versions, old) =>
  versions.map(({ version_id: id, percentage }) => `${id === old ? 'old' : 'new'} ${percentage}`).join(', ')

/** A file with references. */
export function refsFile(...lines) {
  const file = path.join(temporaryFolder('refs'), 'refs.txt')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
