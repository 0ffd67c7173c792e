// The Workers that are compared, all run by the same workerd in the same way.
import { fileURLToPath } from 'node:url'

import { builtModules } from '../../tests/worker/harness/config.mjs'
import { startWorker } from '../../tests/worker/harness/workerd.mjs'
import { fill, SCRIPT_VERSION } from './data.mjs'

const baseline = (name) => ({
  name: `${name}.mjs`,
  file: fileURLToPath(new URL(`../baselines/${name}.mjs`, import.meta.url)),
})

/** The modules of each variant, the entry first, and its settings. */
export const VARIANTS = {
  ours: { modules: builtModules },
  'ours-forgetful': { modules: builtModules, vars: { CONTENT_MEMORY: '0' } },
  pointer: { modules: () => [baseline('pointer')] },
  'pointer-forgetful': { modules: () => [baseline('pointer')], vars: { CONTENT_MEMORY: '0' } },
  optimised: { modules: () => [baseline('optimised'), baseline('pointer')] },
  'optimised-patient': { modules: () => [baseline('optimised'), baseline('pointer')], vars: { PATIENT: '1' } },
  loader: { modules: () => [baseline('loader')] },
  hello: { modules: () => [baseline('hello')] },
  floor: { modules: () => [baseline('floor')] },
  rpc: { modules: builtModules, caller: { modules: [baseline('rpc-caller')], services: ['RESOLVER'] } },
  'kv-caller': { modules: builtModules, caller: { modules: [baseline('kv-caller')], services: [] } },
}

/** Starts the variants; `stop()` stops all of them. */
export async function startVariants(names, settings = {}) {
  const started = {}
  for (const name of names) {
    const { modules, ...options } = VARIANTS[name]
    const worker = await startWorker({ modules: modules(), scriptVersion: SCRIPT_VERSION, ...options, ...settings })
    started[name] = Object.assign(worker, { digest: fill(worker.kv) })
  }
  const stop = () => Promise.all(Object.values(started).map((worker) => worker.stop()))
  return { workers: started, stop }
}
