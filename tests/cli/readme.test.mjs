import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { inRoot } from '../../scripts/lib/paths.mjs'
import { startKv } from './support/kv.mjs'
import { Repo } from './support/repo.mjs'
import { gitEnv, slotctl } from './support/slotctl.mjs'

// Recreates the terminal capture of the README. Times and commits differ between machines;
// `UPDATE_README=1 node --test tests/cli/readme.test.mjs` writes the current output.
const FILE = inRoot('README.md')
const [BEGIN, END] = ['<!-- made by tests/cli/readme.test.mjs -->\n', '<!-- end -->\n']

let kv
before(async () => {
  kv = await startKv({ pairs: 1 })
})
after(() => kv?.stop())

test('the README shows the output of a first sync, a status and a rollback', async () => {
  const pair = kv.pair()
  const repo = new Repo().publish().clone()
  repo.now = 1_795_000_000
  for (const [version, text] of [
    ['v1.0.0', 'Extract.\n'],
    ['v1.1.0', 'Extract it all.\n'],
  ]) {
    repo.commit({ 'prompts/extraction.md': text })
    repo.version('prompts/extraction', version)
  }
  for (const slot of ['production', 'staging']) repo.slot('prompts/extraction', slot, 'v1.1.0')
  repo.git('push', '--quiet', 'origin', 'HEAD:main', '--tags')
  const shown = []
  for (const command of ['sync', 'status', 'rollback prompts/extraction production --to v1.0.0']) {
    shown.push(await run(command))
  }

  async function run(command) {
    const flags = ['--local', kv.url, '--repo', repo.dir, '--config', pair.config]
    const { code, stdout, stderr } = await slotctl([...command.split(' '), ...flags], { env: gitEnv() })
    assert.equal(code, 0, stderr)
    const said = `${stdout}${stderr}`.replaceAll(kv.url, 'http://127.0.0.1:8787').replaceAll(/ \(SLOTS .*?\)/g, '')
    return `    $ slotctl ${command} --local\n${said.trimEnd().replaceAll(/^(?=.)/gm, '    ')}\n`
  }

  const readme = readFileSync(FILE, 'utf8')
  const [start, end] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)]
  const block = `\n${shown.join('\n')}\n`
  if (process.env.UPDATE_README) writeFileSync(FILE, readme.slice(0, start) + block + readme.slice(end))
  else assert.equal(settled(readme.slice(start, end)), settled(block))
})

const settled = (text) =>
  text
    .replaceAll(/\((?:\d+ ms|[\d.]+ s)\)/g, '(…)')
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '<time>')
