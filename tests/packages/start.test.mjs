// docs/first-repository.md as it is written, from an empty folder, with the packages as they are published.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'

import { inRoot } from '../../scripts/lib/paths.mjs'
import { freePort, skip, startNewcomer, until } from './support/newcomer.mjs'

const SERVER = 'npm run dev\n'
const URL_OF_PAGE = 'http://127.0.0.1:8787'

/** The commands of the part for this machine, and what each prints. */
function steps() {
  const [page] = readFileSync(inRoot('docs', 'first-repository.md'), 'utf8').split('\n## On Cloudflare\n')
  const blocks = page.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms)
  return Array.from(blocks, ([, commands, printed]) => ({ commands, printed }))
}

describe('your first components repository', { skip }, () => {
  let newcomer
  let server
  let port
  let cwd

  before(async () => {
    newcomer = await startNewcomer()
    port = await freePort()
    cwd = newcomer.folder
  })

  after(async () => {
    await server?.stop()
    newcomer?.stop()
  })

  /** Runs a block in bash. The next block begins in the folder in which it ends. */
  async function type(commands) {
    const script = `set -e\n${commands.replaceAll(URL_OF_PAGE, `http://127.0.0.1:${port}`)}pwd >&3\n`
    const outcome = await newcomer.outcome('bash', ['-c', script], cwd)
    if (outcome.code === 0) cwd = outcome.extra.trim()
    return outcome
  }

  async function play({ commands, printed }) {
    if (commands === SERVER) {
      server = newcomer.serve('npm', ['run', 'dev', '--', '--port', String(port)], cwd)
      return
    }
    // The server starts, and syncs, while the reader reads on.
    const isEnough = ({ code, stdout }) => code === 0 && (printed === undefined || stdout === printed)
    if (commands.startsWith('curl ')) return until(() => type(commands), isEnough)
    const outcome = await type(commands)
    assert.ok(isEnough(outcome), `${commands}${outcome.stdout}${outcome.stderr}`)
  }

  for (const step of steps()) it(step.commands.trim(), () => play(step))

  it('the server says what to ask', () => {
    assert.match(server.printed(), new RegExp(`curl -i http://127.0.0.1:${port}/components/prompts/greeting@`))
  })

  it('everything is committed, and the Worker has the name of the folder', async () => {
    assert.equal((await type('git status --porcelain\n')).stdout, '')
    assert.match(readFileSync(path.join(cwd, 'wrangler.jsonc'), 'utf8'), /"name": "my-components-production"/)
    assert.ok(existsSync(path.join(cwd, 'package-lock.json')))
  })

  it('no package of this project has an install script', () => {
    const { packages } = JSON.parse(readFileSync(path.join(cwd, 'package-lock.json'), 'utf8'))
    const own = Object.entries(packages).filter(
      ([name]) => name.includes('node_modules/') && /component-resolver/.test(name),
    )
    assert.ok(own.length > 1)
    for (const [name, { hasInstallScript }] of own) assert.equal(hasInstallScript, undefined, name)
  })

  it('the exit code and the output of slotctl are passed on', async () => {
    const { code, stderr } = await type('npx slotctl sync --nonsense\n')
    assert.equal(code, 2)
    assert.match(stderr, /--nonsense/)
  })

  it('Ctrl-C ends the resolver with slotctl', async () => {
    await server.stop()
    await assert.rejects(fetch(`http://127.0.0.1:${port}/version`))
  })
})

describe('npm create component-resolver', { skip }, () => {
  let newcomer
  before(async () => {
    newcomer = await startNewcomer()
  })
  after(() => newcomer?.stop())

  const create = (...args) => newcomer.outcome('npm', ['create', 'component-resolver@latest', ...args])

  it('gives the Worker a name that Cloudflare accepts', async () => {
    const { code, stderr } = await create('Our Prompts!', '--', '--no-install')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /cd 'Our Prompts!'\n {4}npm install\n {4}npm run dev\n/)
    const file = path.join(newcomer.folder, 'Our Prompts!', 'wrangler.jsonc')
    assert.match(readFileSync(file, 'utf8'), /"name": "our-prompts-production"/)
  })

  it('leaves a folder that is not empty as it is', async () => {
    const { code, stderr } = await create('.')
    assert.equal(code, 1)
    assert.match(stderr, /error: .* is not empty/)
  })

  it('says how it is called', async () => {
    assert.match((await create('--', '--help')).stdout, /Usage: npm create component-resolver@latest <folder>/)
    const { code, stderr } = await create()
    assert.equal(code, 1)
    assert.match(stderr, /expected one folder\nUsage: /)
  })
})
