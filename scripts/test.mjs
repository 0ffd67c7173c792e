import './lib/check-node.mjs'
import { existsSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { buildSlotctl, buildWorker } from './lib/build.mjs'
import { duration, heading, log, main, UserError } from './lib/cli.mjs'
import { ownNode } from './lib/node-tools.mjs'
import { inRoot } from './lib/paths.mjs'
import { buildPrevious, missingHistory } from './lib/previous.mjs'
import { runStatus } from './lib/run.mjs'
import { WASM_TARGET } from './lib/rust.mjs'
import { setup } from './lib/setup.mjs'
import { buildMdBook } from './lib/site.mjs'

/** @typedef {import('./lib/tools.mjs').Tools} Tools */
/** @typedef {{ name: string, command: string, args: string[], shown?: string, env?: Record<string, string> }} Suite */

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm test -- [--only native|wasm|node|<a folder of tests/>]',
  about: 'Build the project and run its tests',
  options: { only: { type: 'string', help: 'The suite to run: native, wasm, node or a folder of tests/' } },
}

const RUNNER = `CARGO_TARGET_${WASM_TARGET.toUpperCase().replaceAll('-', '_')}_RUNNER`

/** @param {Tools} tools @param {string} [folder] of tests/ @returns {Suite[]} */
function suites(tools, folder) {
  // Only this file: plain `#[test]`s do not run on Wasm, and proptest needs an operating system.
  const wasm = ['test', '-p', 'catalog', '--test', 'wasm', '--target', WASM_TARGET]
  // The timeout ends a test whose server never answers.
  const node = ['--test', '--test-reporter=spec', '--test-timeout=900000']
  const files = folder ? `tests/${folder}/**/*.test.mjs` : 'tests/**/*.test.mjs'
  return [
    { name: 'native', command: 'cargo', args: ['test', '--workspace'] },
    { name: 'wasm', command: 'cargo', args: wasm, env: { [RUNNER]: tools.wasmBindgen.testRunner } },
    { name: 'node', command: ownNode(), shown: 'node', args: [...node, files] },
  ]
}

/** The suites that `--only` selects; for a folder of tests/, the node suite with its files. @param {Tools} tools @param {string} [only] */
function selected(tools, only) {
  const all = suites(tools)
  if (!only) return all
  const named = all.filter(({ name }) => name === only)
  if (named.length > 0) return named
  if (/^[\w-]+$/.test(only) && existsSync(inRoot('tests', only))) {
    return suites(tools, only).filter(({ name }) => name === 'node')
  }
  throw new UserError(`--only ${only}: expected a suite or a folder of tests/.\nUsage: ${COMMAND.usage}`, 2)
}

/** @param {Suite} suite */
async function runSuite({ name, command, shown, args, env }) {
  heading(`${name}: ${[shown ?? command, ...args].join(' ')}`)
  const started = Date.now()
  const code = await runStatus(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  log(`── ${name} ${code === 0 ? 'passed' : `failed (exit code ${code})`} after ${duration(started)}`)
  return code === 0
}

/** Builds before the tests, which run in parallel and measure times. @param {Tools} tools @param {string} [only] */
async function buildAll(tools, only) {
  await buildWorker(tools)
  await buildSlotctl()
  if (only === undefined || ['node', 'skew'].includes(only)) await buildPreviousIfPossible()
  if (only === undefined || ['node', 'site'].includes(only)) await buildMdBook()
}

async function buildPreviousIfPossible() {
  const missing = missingHistory()
  if (missing) return log(`Some tests of tests/skew are skipped: ${missing}.`)
  await buildPrevious()
}

await main(async () => {
  const { only } = parseOptions(COMMAND)
  const tools = await setup()
  const chosen = selected(tools, only)
  if (chosen.some(({ name }) => name === 'node')) await buildAll(tools, only)
  const failed = []
  for (const suite of chosen) if (!(await runSuite(suite))) failed.push(suite.name)
  if (failed.length === 0) return
  log(`\nFailed: ${failed.join(', ')}. To run one suite: npm test -- --only ${failed[0]}`)
  return 1
})
