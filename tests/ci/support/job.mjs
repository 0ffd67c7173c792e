import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { GIT_ENV, temporaryFolder } from '../../cli/support/repo.mjs'
import { filled } from './expression.mjs'

/** The step of this name. */
export const step = (steps, name) => steps.find((one) => one.name === name)

/**
 * A job in its own folder: runs steps as GitHub does, and keeps their outputs.
 * `cwd` is its workspace, `env` the job's own environment.
 *
 * @param {object} contexts @param {{ cwd?: string, env?: Record<string, string> }} [options]
 */
export function job(contexts, { cwd, env: jobEnv = {} } = {}) {
  const temp = temporaryFolder('job')
  const outputs = {}
  const summary = path.join(temp, 'summary.md')
  const fill = (env) =>
    Object.fromEntries(
      Object.entries(env).map(([key, source]) => [key, filled(source, { ...contexts, steps: outputs })]),
    )
  async function run({ id, name, run: script, env = {} }, extra = {}) {
    const file = path.join(temp, `output-${name}`.replaceAll(' ', '-'))
    const paths = { RUNNER_TEMP: temp, GITHUB_OUTPUT: file, GITHUB_STEP_SUMMARY: summary, GITHUB_REPOSITORY: 'a/b' }
    writeFileSync(file, '')
    const options = { cwd: cwd ?? temp, env: { ...GIT_ENV, ...paths, ...fill(jobEnv), ...fill(env), ...extra } }
    const { code, said } = await bash(script, options)
    outputs[id] = {
      outputs: Object.fromEntries(
        readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => line.split(/=(.*)/s)),
      ),
    }
    return { code, said, outputs: outputs[id].outputs }
  }
  return { run, summary: () => readFileSync(summary, 'utf8'), temp }
}

/** Runs a script like GitHub's `shell: bash`. It cannot block, as the servers are in this process. */
async function bash(script, options) {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], options)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, said }
}
