// The ladder from an empty answer to ours: what each part of a slot request costs without any decision.
import { startWorker } from '../../tests/worker/harness/workerd.mjs'
import { fill, SCRIPT_VERSION } from './data.mjs'
import { recordAnswer } from './record.mjs'
import { medianCpu, medianRatio, rounds } from './rounds.mjs'
import { startVariants, VARIANTS } from './variants.mjs'
import { requests } from './workloads.mjs'

/** The steps of `bench/baselines/floor.mjs`, each with what it adds. */
const STEPS = {
  empty: 'empty answer',
  body: 'with the body',
  headers: 'with our headers',
  log: 'with the log line',
  read: 'with the read of KV',
  timeout: 'with the time-out: the floor',
}

/** Starts the Worker that sends a recorded answer. */
export async function startFloor(step, answer) {
  const vars = { STEP: step, ANSWER: answer }
  const worker = await startWorker({ modules: VARIANTS.floor.modules(), vars, scriptVersion: SCRIPT_VERSION })
  return Object.assign(worker, { digest: fill(worker.kv) })
}

async function run(settings) {
  const { workers, stop } = await startVariants(['ours'])
  const floors = {}
  try {
    const answer = await recordAnswer(workers.ours, requests(workers.ours.digest).slot.path)
    for (const step of Object.keys(STEPS)) floors[step] = await startFloor(step, answer)
    const all = { ...floors, ours: workers.ours }
    const measured = Object.keys(all).map((variant) => [variant, 'slot'])
    return await rounds(all, requests(workers.ours.digest), measured, settings)
  } finally {
    await Promise.all([stop(), ...Object.values(floors).map((worker) => worker.stop())])
  }
}

/** Measures `{ steps: [{ what, cpu, ratio }] }`, from the bottom to ours; `ratio` is that of ours to the step. */
export async function measureLadder({ processes, ...settings }) {
  const results = []
  for (let at = 0; at < processes; at += 1) results.push(...(await run(settings)))
  const steps = Object.entries({ ...STEPS, ours: 'component-resolver' })
  return {
    steps: steps.map(([step, what]) => ({
      what,
      cpu: medianCpu(results, [step, 'slot']),
      ratio: medianRatio(results, ['ours', 'slot'], [step, 'slot']),
    })),
  }
}
