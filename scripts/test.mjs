import './lib/check-node.mjs'
import { existsSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildSlotctl, buildWorker } from './lib/build.mjs'
import { ownNode } from './lib/node-tools.mjs'
import { inRoot } from './lib/paths.mjs'
import { buildPrevious, missingHistory } from './lib/previous.mjs'
import { runStatus } from './lib/run.mjs'
import { WASM_TARGET } from './lib/rust.mjs'
import { setup } from './lib/setup.mjs'
import { duration, heading, main, say, UserError } from './lib/talk.mjs'

const USAGE = 'npm test -- [--only native|wasm|node|<a folder of tests/>]'

const RUNNER = `CARGO_TARGET_${WASM_TARGET.toUpperCase().replaceAll('-', '_')}_RUNNER`

function suites(tools, folder) {
  // Only this file: plain `#[test]`s do not run there, and proptest needs an operating system.
  const wasm = ['test', '-p', 'catalog', '--test', 'wasm', '--target', WASM_TARGET]
  // A server that never answers must not keep CI waiting.
  const node = ['--test', '--test-reporter=spec', '--test-timeout=900000']
  const files = folder ? `tests/${folder}/**/*.test.mjs` : 'tests/**/*.test.mjs'
  return [
    { name: 'native', command: 'cargo', args: ['test', '--workspace'] },
    { name: 'wasm', command: 'cargo', args: wasm, env: { [RUNNER]: tools.wasmBindgen.testRunner } },
    { name: 'node', command: ownNode(), shown: 'node', args: [...node, files] },
  ]
}

/** The suites that `--only` names; a folder of tests/ is the node suite with its files. */
function selected(tools, only) {
  const all = suites(tools)
  if (!only) return all
  const named = all.filter(({ name }) => name === only)
  if (named.length > 0) return named
  if (/^[\w-]+$/.test(only) && existsSync(inRoot('tests', only))) {
    return suites(tools, only).filter(({ name }) => name === 'node')
  }
  throw new UserError(`--only ${only}: neither a suite nor a folder of tests/.\nUsage: ${USAGE}`, 2)
}

async function runSuite({ name, command, shown = command, args, env }) {
  heading(`${name}: ${[shown, ...args].join(' ')}`)
  const started = Date.now()
  const code = await runStatus(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  say(`── ${name} ${code === 0 ? 'passed' : `failed (exit code ${code})`} after ${duration(started)}`)
  return code === 0
}

/** Ahead of the tests, which run at once and measure. */
async function buildAll(tools, only) {
  await buildWorker(tools)
  await buildSlotctl()
  if ([undefined, 'node', 'skew'].includes(only)) await previousIfThere()
}

async function previousIfThere() {
  const missing = missingHistory()
  if (missing) return say(`tests/skew is skipped in part: ${missing}.`)
  await buildPrevious()
}

await main(async () => {
  const { only } = parseOptions({ only: { type: 'string' } }, USAGE)
  const tools = await setup()
  const chosen = selected(tools, only)
  if (chosen.some(({ name }) => name === 'node')) await buildAll(tools, only)
  const failed = []
  for (const suite of chosen) if (!(await runSuite(suite))) failed.push(suite.name)
  if (failed.length === 0) return
  say(`\nFailed: ${failed.join(', ')}. One alone: npm test -- --only ${failed[0]}`)
  return 1
})
