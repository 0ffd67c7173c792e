// The Python package, built and installed into an empty environment: with the cases that all clients
// share, and with the built Worker.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { createClient } from '../../client/index.js'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { hasPython, run } from '../../scripts/lib/venv.mjs'
import { testCases } from '../client/cases.mjs'
import { serveVectors } from '../worker/vectors.mjs'
import { filesOf, installPackage, tool } from './support/package.mjs'
import { startPlayer } from './support/player.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const SPLIT = 'prompts/extraction@production'

const missing = hasPython(10) ? false : 'python3 (3.10 or later, with venv) is not installed'
const skip = process.env.CI ? false : missing

/** The examples of the page, in their order. */
const EXAMPLES = readFileSync(inRoot('python', 'README.md'), 'utf8')
  .split('```python\n')
  .slice(1)
  .map((part) => part.split('```')[0])

let installed
before(() => {
  if (skip) return
  assert.equal(missing, false, `${missing}, which CI needs`)
  installed = installPackage()
})
after(() => installed && rmSync(installed.folder, { recursive: true, force: true }))

/** Runs a program with the installed package, without blocking this process, which serves the KV of the Worker. */
async function python(...args) {
  const options = { env: { ...process.env, PYTHONUTF8: '1' } }
  const { stdout } = await promisify(execFile)(installed.python, args, options)
  return stdout
}

describe('the Python package', { skip }, () => {
  test('has the version of package.json, its types and the licences, and nothing else', () => {
    const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
    assert.match(readFileSync(inRoot('python', 'pyproject.toml'), 'utf8'), new RegExp(`^version = "${version}"$`, 'm'))
    const files = filesOf(installed.wheel)
    const about = `component_resolver-${version}.dist-info`
    for (const name of ['component_resolver/py.typed', `${about}/licenses/LICENSE-MIT`, `${about}/METADATA`])
      assert.ok(files.includes(name), `${name}: ${files}`)
    const others = files.filter((name) => !/^component_resolver\/(\w+\.py|py\.typed)$/.test(name))
    assert.ok(
      others.every((name) => name.startsWith(about)),
      others.join('\n'),
    )
    assert.deepEqual(filesOf(installed.again).sort(), files.sort(), 'the wheel of the source distribution')
  })

  test('has a page without links to files of this repository', async () => {
    const program = 'import importlib.metadata as m; print(m.metadata("component-resolver")["Description"])'
    const page = await python('-c', program)
    assert.match(page, /it does what the JavaScript client does/)
    assert.doesNotMatch(page, /\]\(\./)
  })

  test('refuses values that cannot be sent, and keeps its token to itself', async () => {
    await python('-m', 'unittest', path.join(HERE, 'support', 'values.py'))
  })

  test('has no findings of ruff and mypy', () => {
    const config = inRoot('python', 'pyproject.toml')
    for (const check of [['check'], ['format', '--check']])
      run(tool('ruff'), [...check, '--no-cache', '--config', config, inRoot('python'), HERE])
    mypy(inRoot('python', 'src'), tool('python'))
  })

  test('has types for the programs that use it', () => {
    const folder = mkdtempSync(path.join(installed.folder, 'typed-'))
    const examples = EXAMPLES.map((text, number) => {
      const file = path.join(folder, `example_${number}.py`)
      writeFileSync(file, `token = ""\nuser_id = "ada"\n${text}`)
      return file
    })
    // The second example continues the first one.
    writeFileSync(examples[1], readFileSync(examples[0], 'utf8') + EXAMPLES[1])
    const programs = ['player.py', 'users.py', 'values.py'].map((name) => path.join(HERE, 'support', name))
    for (const file of [...examples, ...programs]) mypy(file, installed.python)
  })

  function mypy(file, executable) {
    const options = ['--config-file', inRoot('python', 'pyproject.toml'), '--python-executable', executable]
    run(tool('mypy'), [...options, '--cache-dir', inRoot('.tools', 'mypy-cache'), file], { cwd: installed.folder })
  }
})

describe('the cases of all clients', { skip, concurrency: true }, () => {
  for (const kind of /** @type {const} */ (['sync', 'async'])) {
    describe(kind, { concurrency: false }, () => {
      let player
      before(() => {
        player = startPlayer(installed.python, kind)
      })
      after(() => player?.stop())
      testCases(() => player)
    })
  }
})

describe('with the Worker', { skip }, () => {
  let worker
  before(async () => {
    ;({ worker } = await serveVectors('splits.json'))
  })
  after(() => worker?.stop())

  /** A text as Python prints it: a line feed ends each line. @param {string} text */
  const printed = (text) => `${text}\n`

  /** Plays examples of the page as one program. */
  const play = (user, ...examples) => {
    const text = examples.join('').replaceAll('https://components.example.com', worker.url)
    return python('-c', `token = "t"\nuser_id = ${JSON.stringify(user)}\n${text}`)
  }

  test('five lines of Python read the prompt of a user, always the same one', async () => {
    const own = createClient(worker.url)
    for (const user of ['user-1', 'user-2', 'user-3', 'user-4']) {
      const wanted = (await own.get(SPLIT, { caller: { key: user } })).text()
      const [one, other] = [await play(user, EXAMPLES[0]), await play(user, EXAMPLES[2])]
      assert.deepEqual([one, other], [printed(wanted), printed(wanted)])
    }
  })

  test('the second example reads several components', async () => {
    const own = createClient(worker.url)
    const { resolved } = await own.resolve([SPLIT, 'prompts/bom@production'], { content: true, caller: { key: 'ada' } })
    const printedLines = resolved.map(({ version, content }) => printed(`${version} ${content}`))
    assert.ok((await play('ada', EXAMPLES[0], EXAMPLES[1])).endsWith(printedLines.join('')))
  })

  test('every user gets the version that the JavaScript client gets, with threads, asyncio and trio', async () => {
    const users = Array.from({ length: 60 }, (_, number) => `user-${number} ✓`.slice(0, number % 2 ? undefined : -2))
    const program = path.join(HERE, 'support', 'users.py')
    const own = createClient(worker.url)
    const wanted = []
    for (const key of users) wanted.push((await own.get(SPLIT, { caller: { key } })).version)
    assert.deepEqual([...new Set(wanted)].length, 2)
    const got = JSON.parse(await python(program, worker.url, SPLIT, JSON.stringify(users)))
    assert.deepEqual(got, { threads: wanted, asyncio: wanted, trio: wanted })
  })
})
