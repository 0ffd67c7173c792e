import './lib/check-node.mjs'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { heading, log, main, UserError } from './lib/cli.mjs'
import { inRoot } from './lib/paths.mjs'
import { capture, childEnv, run } from './lib/run.mjs'
import { checkRust } from './lib/rust.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run fuzz -- [--seconds 5] [--target address] [--seed 1]',
  about: 'Fuzz the parsers with libFuzzer',
  options: {
    seconds: { type: 'string', default: '5', help: 'The seconds for each target' },
    target: { type: 'string', help: 'The one target to run: a folder of fuzz/corpus' },
    seed: { type: 'string', help: 'The seed of the random numbers, to repeat a run' },
  },
}

// The flags that cargo-fuzz passes to rustc, without its nightly compiler: coverage for libFuzzer,
// and comparisons whose operands it learns.
const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
]

const BUILD = inRoot('target', 'fuzz')

/** The fuzz targets to run: each is a folder of the corpus. @param {string} [target] */
function chosen(target) {
  const all = readdirSync(inRoot('fuzz', 'corpus')).sort()
  if (!target) return all
  if (all.includes(target)) return [target]
  throw new UserError(`--target ${target}: expected one of ${all.join(', ')}.\nUsage: ${COMMAND.usage}`, 2)
}

/** @param {string} name @param {string} text */
function positiveInteger(name, text) {
  if (/^[1-9]\d*$/.test(text)) return text
  throw new UserError(`--${name} ${text}: expected a whole number above 0.\nUsage: ${COMMAND.usage}`, 2)
}

function hostTriple() {
  const host = /^host: (.+)$/m.exec(capture('rustc', ['-vV']) ?? '')?.[1]
  if (host) return host
  throw new UserError('`rustc -vV` prints no host: install Rust from https://rustup.rs.')
}

/** @param {string} triple */
async function build(triple) {
  if (capture('c++', ['--version']) === null) {
    throw new UserError('A C++ compiler (c++) is missing: libFuzzer is compiled with it.')
  }
  // With an explicit --target, build scripts and macros are not instrumented.
  const target = ['--manifest-path', inRoot('fuzz', 'Cargo.toml'), '--target', triple]
  await run('cargo', ['build', '--release', '--locked', '--quiet', ...target], {
    env: { CARGO_TARGET_DIR: BUILD, RUSTFLAGS: COVERAGE.join(' ') },
    name: 'building the fuzz targets',
  })
}

/**
 * Runs one target. New inputs are kept under target/.
 *
 * @param {string} target @param {{ triple: string, time: string, seed?: string }} options
 * @returns {Promise<{ failed: boolean, output: string }>}
 */
function fuzz(target, { triple, time, seed }) {
  const found = inRoot('target', 'fuzz', 'corpus', target)
  mkdirSync(found, { recursive: true })
  const args = [
    `-max_total_time=${time}`,
    ...(seed ? [`-seed=${seed}`] : []),
    '-timeout=10',
    '-print_final_stats=1',
    '-verbosity=0',
    `-artifact_prefix=${inRoot('target', 'fuzz', `${target}-`)}`,
    found,
    inRoot('fuzz', 'corpus', target),
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(`${BUILD}/${triple}/release/${target}`, args, {
      env: childEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    /** @type {Buffer[]} */
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
    child.on('error', reject)
    child.on('exit', (code) => resolve({ failed: code !== 0, output: Buffer.concat(output).toString() }))
  })
}

await main(async () => {
  const options = parseOptions(COMMAND)
  const targets = chosen(options.target)
  const time = positiveInteger('seconds', options.seconds)
  const seed = options.seed && positiveInteger('seed', options.seed)
  checkRust()
  const triple = hostTriple()
  heading('Building the fuzz targets')
  await build(triple)
  const broken = []
  for (const target of targets) {
    const { failed, output } = await fuzz(target, { triple, time, seed })
    const executions = /number_of_executed_units: (\d+)/.exec(output)?.[1] ?? 'an unknown number of'
    log(`${target}: ${executions} executions${failed ? ', FAILED' : ''}`)
    if (!failed) continue
    broken.push(target)
    log(output)
  }
  if (broken.length > 0) throw new UserError(`A property is violated: ${broken.join(', ')}. See the input above.`)
})
