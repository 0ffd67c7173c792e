import './lib/check-node.mjs'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'

import { parseOptions } from './lib/args.mjs'
import { inRoot } from './lib/paths.mjs'
import { capture, childEnv, run } from './lib/run.mjs'
import { checkRust } from './lib/rust.mjs'
import { heading, main, say, UserError } from './lib/talk.mjs'

const USAGE = 'npm run fuzz -- [--seconds 5] [--target address] [--seed 1]'
const OPTIONS = { seconds: { type: 'string', default: '5' }, target: { type: 'string' }, seed: { type: 'string' } }

// What cargo-fuzz passes to rustc, without its nightly compiler: coverage for
// libFuzzer, and comparisons whose operands it learns.
const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
]

const BUILD = inRoot('target', 'fuzz')

/** The targets are the folders of the corpus. */
function chosen(target) {
  const all = readdirSync(inRoot('fuzz', 'corpus')).sort()
  if (!target) return all
  if (all.includes(target)) return [target]
  throw new UserError(`--target ${target}: there is only ${all.join(', ')}.\nUsage: ${USAGE}`, 2)
}

function whole(name, text) {
  if (/^[1-9]\d*$/.test(text)) return text
  throw new UserError(`--${name} ${text}: not a whole number above 0.\nUsage: ${USAGE}`, 2)
}

const hostTriple = () => /^host: (.+)$/m.exec(capture('rustc', ['-vV']))[1]

async function build(triple) {
  if (capture('c++', ['--version']) === null) {
    throw new UserError('A C++ compiler is missing (c++): libFuzzer itself is built with it.')
  }
  // With a target named, build scripts and macros are not instrumented.
  const args = [
    'build',
    '--release',
    '--locked',
    '--quiet',
    '--manifest-path',
    inRoot('fuzz', 'Cargo.toml'),
    '--target',
    triple,
  ]
  await run('cargo', args, {
    env: { CARGO_TARGET_DIR: BUILD, RUSTFLAGS: COVERAGE.join(' ') },
    name: 'building the fuzz targets',
  })
}

/** One target for a while; what it finds anew stays under target/. */
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
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
    child.on('error', reject)
    child.on('exit', (code) => resolve({ failed: code !== 0, output: Buffer.concat(said).toString() }))
  })
}

await main(async () => {
  const options = parseOptions(OPTIONS, USAGE)
  const targets = chosen(options.target)
  const time = whole('seconds', options.seconds)
  const seed = options.seed && whole('seed', options.seed)
  checkRust()
  const triple = hostTriple()
  heading('Building the fuzz targets')
  await build(triple)
  const broken = []
  for (const target of targets) {
    const { failed, output } = await fuzz(target, { triple, time, seed })
    const executions = /number_of_executed_units: (\d+)/.exec(output)?.[1] ?? 'an unknown number of'
    say(`${target}: ${executions} executions${failed ? ', FAILED' : ''}`)
    if (!failed) continue
    broken.push(target)
    say(output)
  }
  if (broken.length > 0)
    throw new UserError(`A property does not hold: ${broken.join(', ')}. The input is named above.`)
})
