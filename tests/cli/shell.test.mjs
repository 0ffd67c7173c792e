import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { temporaryFolder } from './support/repo.mjs'
import { binary, slotctl } from './support/slotctl.mjs'

describe('slotctl in a shell', () => {
  for (const shell of ['bash', 'zsh', 'fish', 'elvish', 'powershell']) {
    test(`prints the script that makes ${shell} ask for names`, async () => {
      const { code, stdout } = await slotctl(['completions', shell])
      assert.equal(code, 0)
      for (const word of ['COMPLETE', 'slotctl']) assert.ok(stdout.includes(word), word)
      if (shell === 'bash') assert.equal(spawnSync('bash', ['-n'], { input: stdout }).status, 0)
    })
  }

  test('has a manual page for every command, with examples', async () => {
    const dir = path.join(temporaryFolder('man'), 'man1')
    const { code, stderr } = await slotctl(['man', dir])
    const pages = readdirSync(dir)
    assert.deepEqual([code, stderr], [0, `${pages.length} pages in ${dir}\n`])
    for (const page of ['slotctl.1', 'slotctl-sync.1', 'slotctl-tag-create.1']) assert.ok(pages.includes(page), page)
    for (const page of pages) assert.match(readFileSync(path.join(dir, page), 'utf8'), /^Examples:$/m, page)
    const { stdout } = await slotctl(['man'])
    assert.match(stdout, /^\.TH slotctl 1/m)
  })

  const script = spawnSync('script', ['-qec', 'true', '/dev/null'])
  const skip = script.status === 0 ? false : "util-linux's script is not here"
  test('has colours on a terminal, unless NO_COLOR is set', { skip }, () => {
    const on = (env) => {
      const line = `${JSON.stringify(binary())} status --local --repo /nonexistent`
      return spawnSync('script', ['-qec', line, '/dev/null'], {
        env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
        encoding: 'utf8',
      }).stdout
    }
    assert.match(on({}), /\u001b\[31m.*error/)
    assert.doesNotMatch(on({ NO_COLOR: '1' }), /\u001b\[[\d;]*m/)
  })
})
