// Runs the completion in bash, zsh and fish.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

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

/** The script that `slotctl completions` prints for a shell, in a file of its own. */
async function script(shell) {
  const { stdout } = await slotctl(['completions', shell])
  const file = path.join(temporaryFolder('completion'), `slotctl.${shell}`)
  writeFileSync(file, stdout)
  return file
}

/** What each shell offers for the words of a command line, of which the last one is being typed. */
const SHELLS = {
  bash: async (words, options) => {
    const typed = words.map((word) => `'${word}'`).join(' ')
    const lines = [
      `source ${await script('bash')}`,
      `COMP_WORDS=(${typed})`,
      `COMP_CWORD=${words.length - 1}`,
      'COMP_TYPE=9',
      `_clap_complete_slotctl slotctl '${words.at(-1)}' ''`,
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]
    return spawnSync('bash', ['-c', lines.join('\n')], options)
  },
  zsh: async (words, { env, ...options }) => {
    const [SCRIPT, driver] = [await script('zsh'), fileURLToPath(new URL('support/complete.zsh', import.meta.url))]
    const MATCHES = `${SCRIPT}.matches`
    writeFileSync(MATCHES, '')
    const given = { ...options, env: { ...env, SCRIPT, MATCHES }, timeout: 20_000 }
    const { status, stderr } = spawnSync('zsh', ['-f', driver, words.join(' ')], given)
    return { status, stderr, stdout: readFileSync(MATCHES, 'utf8') }
  },
  fish: async (words, options) => {
    const line = `source ${await script('fish')}; complete --do-complete '${words.join(' ')}'`
    return spawnSync('fish', ['--no-config', '-c', line], options)
  },
}

describe('completion', () => {
  let repo
  before(() => {
    repo = stage()
  })

  for (const [shell, call] of Object.entries(SHELLS)) {
    const isThere = spawnSync(shell, ['-c', 'true']).status === 0
    const skip = isThere ? false : `${shell} is not installed`
    const type = (words, cwd) => {
      const PATH = `${path.dirname(binary())}:${process.env.PATH}`
      return call(words, { cwd, env: { ...gitEnv(), HOME: cwd, PATH }, encoding: 'utf8' })
    }
    const complete = async (line) => {
      const { status, stdout, stderr } = await type(['slotctl', ...line.split(' ')], repo.dir)
      assert.equal(status, 0, String(stderr))
      // fish prints a help text after the value.
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((each) => each.split('\t')[0].trim())
    }

    test(`in ${shell} offers commands, components, slots, versions and environments`, { skip }, async () => {
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

    test(`in ${shell} reads the repository that the command line names`, { skip }, async () => {
      const cwd = temporaryFolder('elsewhere')
      const words = ['slotctl', 'tag', 'show', '--repo', repo.dir, 'pro']
      const named = await type(words, cwd)
      assert.match(named.stdout, /prompts\/extraction/)
      const without = await type(['slotctl', 'tag', 'show', 'pro'], cwd)
      assert.deepEqual([without.status, without.stdout.trim()], [0, ''], 'there is no repository')
    })
  }

  test('does not answer a command that has the variable by chance', async () => {
    const { code, stdout } = await slotctl(['--version'], { env: { COMPLETE: 'bash' } })
    assert.deepEqual([code, /^slotctl \d/.test(stdout)], [0, true])
  })
})
