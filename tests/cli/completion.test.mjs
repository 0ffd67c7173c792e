// Runs the completion as the shells do: bash itself, and for zsh and fish the call that their
// script makes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'

import { Repo, temporaryFolder } from './support/repo.mjs'
import { binary, gitEnv, slotctl } from './support/slotctl.mjs'

const CONFIG = `name = "a"\n${['production', 'staging']
  .map((name) => `[env.${name}]\nkv_namespaces = [{ binding = "SLOTS", id = "${'a'.repeat(32)}" }]\n`)
  .join('')}`

/** A repository with two components, in a folder with a configuration. */
function stage() {
  const repo = new Repo()
  repo.commit({ 'prompts/extraction.md': 'a', 'schemas/invoice.json': '{}', 'wrangler.toml': CONFIG })
  for (const name of ['prompts/extraction', 'schemas/invoice']) repo.version(name, 'v1.0.0')
  for (const slot of ['production', 'canary']) repo.slot('prompts/extraction', slot, 'v1.0.0')
  repo.slot('schemas/invoice', 'staging', 'v1.0.0')
  return repo
}

/** Each shell's call for the words of a command line, of which the last one is being typed. */
const SHELLS = {
  bash: async (words, cwd, env) => {
    const { stdout: script } = await slotctl(['completions', 'bash'])
    const file = path.join(temporaryFolder('completion'), 'slotctl.bash')
    writeFileSync(file, script)
    const typed = words.map((word) => `'${word}'`).join(' ')
    const lines = [
      `source ${file}`,
      `COMP_WORDS=(${typed})`,
      `COMP_CWORD=${words.length - 1}`,
      'COMP_TYPE=9',
      `_clap_complete_slotctl slotctl '${words.at(-1)}' ''`,
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]
    const bin = path.dirname(binary())
    return spawnSync('bash', ['-c', lines.join('\n')], {
      cwd,
      env: { ...env, PATH: `${bin}:${process.env.PATH}` },
      encoding: 'utf8',
    })
  },
  zsh: (words, cwd, env) =>
    spawnSync(binary(), ['--', ...words], {
      cwd,
      env: { ...env, COMPLETE: 'zsh', _CLAP_IFS: '\n', _CLAP_COMPLETE_INDEX: String(words.length - 1) },
      encoding: 'utf8',
    }),
  fish: (words, cwd, env) =>
    spawnSync(binary(), ['--', ...words], { cwd, env: { ...env, COMPLETE: 'fish' }, encoding: 'utf8' }),
}

describe('completion', () => {
  let repo
  before(() => {
    repo = stage()
  })

  for (const [shell, call] of Object.entries(SHELLS)) {
    const complete = async (line) => {
      const { status, stdout, stderr } = await call(['slotctl', ...line.split(' ')], repo.dir, gitEnv())
      assert.equal(status, 0, stderr)
      // zsh and fish print a help text after the value.
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((each) => each.replaceAll('\\:', '\n').split(/[:\t]/)[0].replaceAll('\n', ':').trim())
    }

    test(`in ${shell} offers commands, components, slots, versions and environments`, async () => {
      for (const [line, offered] of /** @type {[string, string[]][]} */ ([
        ['rollb', ['rollback']],
        ['tag se', ['set']],
        ['tag set pro', ['prompts/extraction']],
        ['history ', ['prompts/extraction', 'schemas/invoice']],
        ['tag set prompts/extraction ', ['canary', 'production']],
        ['tag set schemas/invoice production ', ['staging', 'v1.0.0']],
        ['explain prompts/extraction c', ['canary']],
        ['rollback prompts/extraction production --to ', ['v1.0.0']],
        ['rollout prompts/extraction production --to ', ['canary', 'production']],
        ['status --slot s', ['staging']],
        ['sync --only sc', ['schemas/invoice']],
        ['sync --env ', ['production', 'staging']],
        ['sync --config nowhere.toml --env ', []],
      ])) {
        const got = (await complete(line)).filter((value) => !value.startsWith('-'))
        assert.deepEqual(got.sort(), offered, line)
      }
    })

    test(`in ${shell} reads the repository that the command line names`, async () => {
      const cwd = temporaryFolder('elsewhere')
      const words = ['slotctl', 'tag', 'show', '--repo', repo.dir, 'pro']
      const named = await call(words, cwd, gitEnv())
      assert.match(named.stdout, /prompts\/extraction/)
      const without = await call(['slotctl', 'tag', 'show', 'pro'], cwd, gitEnv())
      assert.deepEqual([without.status, without.stdout.trim()], [0, ''], 'there is no repository')
    })
  }

  test('does not answer a command that has the variable by chance', async () => {
    const { code, stdout } = await slotctl(['--version'], { env: { COMPLETE: 'bash' } })
    assert.deepEqual([code, /^slotctl \d/.test(stdout)], [0, true])
  })
})
