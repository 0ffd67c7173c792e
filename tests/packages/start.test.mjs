// From an empty folder to an answer, with the packages as they are published.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'

import { SLOTCTL } from '../../scripts/lib/build.mjs'
import { packAll, stageCreate, stageResolver, stageSlotctl } from '../../scripts/lib/pack.mjs'
import { hostPlatform } from '../../scripts/lib/platforms.mjs'
import { startRegistry } from './support/registry.mjs'

const FIRST = 'Greet {{name}} in one short sentence.'

let folder
let registry
let project

/** Runs npm as a new user's machine does: without this project's configuration, cache and secrets. */
function environment() {
  const { PATH, SystemRoot } = process.env
  const home = path.join(folder, 'home')
  return {
    PATH: [path.dirname(process.execPath), PATH].join(path.delimiter),
    ...(SystemRoot && { SystemRoot }),
    HOME: home,
    npm_config_registry: registry.url,
    npm_config_cache: path.join(folder, 'cache'),
    npm_config_update_notifier: 'false',
    WRANGLER_SEND_METRICS: 'false',
    GIT_AUTHOR_NAME: 'New User',
    GIT_AUTHOR_EMAIL: 'new@example.com',
    GIT_COMMITTER_NAME: 'New User',
    GIT_COMMITTER_EMAIL: 'new@example.com',
  }
}

/** The exit code and the output of a command; the registry answers in the meantime. */
async function outcome(command, args, cwd = project) {
  const child = spawn(command, args, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const [status, stdout, stderr] = await Promise.all([
    new Promise((resolve) => child.once('close', resolve)),
    child.stdout.setEncoding('utf8').reduce((text, chunk) => text + chunk, ''),
    child.stderr.setEncoding('utf8').reduce((text, chunk) => text + chunk, ''),
  ])
  return { status, stdout, stderr }
}

async function run(command, args, cwd) {
  const { status, stdout, stderr } = await outcome(command, args, cwd)
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })

/** Repeats a request until the answer is as expected. */
async function until(url, expected, patience = 60_000) {
  const deadline = Date.now() + patience
  while (true) {
    const answer = await fetch(url).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      (error) => ({ status: 0, text: String(error) }),
    )
    if (expected(answer)) return answer
    if (Date.now() > deadline) assert.fail(`${url}: ${answer.status} ${answer.text}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('the packages', { skip: !hostPlatform() && 'there is no package for this platform' }, () => {
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'packages-'))
    const folders = [stageResolver(), stageCreate(), stageSlotctl(hostPlatform(), SLOTCTL)]
    registry = await startRegistry(await packAll(folders))
  })

  after(() => {
    registry?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('npm create makes a repository with its first versions', async () => {
    await run('npm', ['create', '--yes', 'component-resolver@latest', 'my-prompts'], folder)
    project = path.join(folder, 'my-prompts')
    const tags = await run('git', ['tag', '--list'])
    assert.match(tags, /^components\/prompts\/greeting\/production$/m)
    assert.match(tags, /^components\/schemas\/greeting\/v1\.0\.0$/m)
    assert.equal(await run('git', ['status', '--porcelain']), '')
    assert.match(readFileSync(path.join(project, 'wrangler.jsonc'), 'utf8'), /"name": "my-prompts-production"/)
  })

  it('npx slotctl runs without Rust and without an install script', async () => {
    assert.match(await run('npx', ['--no-install', 'slotctl', '--version']), /^slotctl \d+\.\d+\.\d+/)
    const { packages } = JSON.parse(readFileSync(path.join(project, 'package-lock.json'), 'utf8'))
    const own = Object.entries(packages).filter(([name]) => name.includes('component-resolver'))
    assert.ok(own.length > 1)
    for (const [name, { hasInstallScript }] of own) assert.equal(hasInstallScript, undefined, name)
  })

  it('the exit code and the output of slotctl are passed on', async () => {
    const { status, stderr } = await outcome('npx', ['--no-install', 'slotctl', 'sync', '--nonsense'])
    assert.equal(status, 2)
    assert.match(stderr, /--nonsense/)
  })

  it('npm run dev serves the components, and a moved slot within seconds', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/components/prompts/greeting@production`
    const began = Date.now()
    const server = spawn('npm', ['run', 'dev', '--', '--port', String(port)], {
      cwd: project,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let printed = ''
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (printed += chunk))
    const ended = new Promise((resolve) => server.once('exit', resolve))
    try {
      const first = await until(url, ({ status }) => status === 200)
      assert.ok(first.text.startsWith(FIRST))
      assert.ok(existsSync(path.join(project, '.wrangler')))
      writeFileSync(path.join(project, 'prompts', 'greeting.md'), 'Greet {{name}} in two sentences.\n')
      await run('git', ['commit', '--all', '--quiet', '--message', 'Greet in two sentences'])
      await run('npx', ['--no-install', 'slotctl', 'tag', 'create', 'prompts/greeting', 'v1.1.0'])
      await run('npx', ['--no-install', 'slotctl', 'tag', 'set', 'prompts/greeting', 'production', 'v1.1.0'])
      await until(url, ({ text }) => text === 'Greet {{name}} in two sentences.\n')
    } catch (error) {
      throw new Error(`${error.message}\n${printed}`, { cause: error })
    } finally {
      process.kill(-server.pid, 'SIGINT')
      await ended
    }
    assert.match(printed, new RegExp(`curl -i http://127.0.0.1:${port}/components/`))
    assert.ok(Date.now() - began < 120_000)
    await assert.rejects(fetch(url), 'the resolver ends with slotctl')
  })
})
