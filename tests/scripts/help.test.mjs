import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { inRoot } from '../../scripts/lib/paths.mjs'

const { scripts } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))

/** Runs the command of an npm script with more arguments, as npm does. @param {string} command @param {string[]} more */
function runScript(command, more) {
  const [node, ...args] = command.replace(/^exec /, '').split(' ')
  assert.equal(node, 'node', command)
  // No script needs ten seconds to print its help, and a build would need more.
  return spawnSync(process.execPath, [...args, ...more], { cwd: inRoot(), encoding: 'utf8', timeout: 10_000 })
}

describe('every npm script', () => {
  for (const [name, command] of Object.entries(scripts)) {
    test(`${name} prints its help for --help`, () => {
      const { status, stdout, stderr } = runScript(command, ['--help'])
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /^[A-Z][^\n]*[^.\n]\n\nUsage: (npm (run \S+|start|test))[^\n]*\n\nOptions:\n {2}--/)
      assert.match(stdout, /\n {2}--help +Print this help\n$/)
      for (const [, option] of /^Usage: (.*)$/m.exec(stdout)?.[1].matchAll(/\[--([\w-]+)/g) ?? []) {
        assert.match(stdout, new RegExp(`^  --${option}\\b.* {2}\\S`, 'm'), `${option} is not described`)
      }
    })

    test(`${name} refuses an unknown option with exit code 2`, () => {
      const { status, stdout, stderr } = runScript(command, ['--helpp'])
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, /'--helpp'[^\n]*\nUsage: npm /)
    })
  }
})

test('help names the default of an option', () => {
  const { stdout } = runScript(scripts.start, ['-h'])
  assert.match(stdout, /^ {2}--port <value> {2}The port .* \[default: 8787\]$/m)
})
