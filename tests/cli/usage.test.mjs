import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'

import { extractionRepo, temporaryFolder } from './support/repo.mjs'
import { slotctl } from './support/slotctl.mjs'

const CLOUDFLARE = { CLOUDFLARE_API_TOKEN: 's3cret', CLOUDFLARE_ACCOUNT_ID: '0af' }

const CONFIG = `
[[kv_namespaces]]
binding = "SLOTS"
id = "local-slots"
[[kv_namespaces]]
binding = "COMPONENTS"
id = "local-components"
[[env.staging.kv_namespaces]]
binding = "SLOTS"
id = "replace-me-staging-slots"
`

describe('slotctl', () => {
  test('has --help for every command', async () => {
    const { code, stdout, stderr } = await slotctl(['sync', '--help'])
    assert.deepEqual([code, stderr], [0, ''])
    for (const text of ['--local [<URL>]', '--dry-run', '--json', 'Examples:', 'Exit codes: 0 done']) {
      assert.ok(stdout.includes(text), text)
    }
  })

  for (const [
    what,
    args,
    env,
    message,
  ] of /** @type {[what: string, args: string[], env: Record<string, string>, message: RegExp][]} */ ([
    ['an unknown command', ['snyc'], {}, /unrecognized subcommand 'snyc'/],
    ['an unknown option', ['sync', '--prod'], {}, /unexpected argument '--prod'/],
    ['--check alone', ['sync', '--check'], {}, /--dry-run/],
    ['no target', ['sync'], {}, /name the target: `--local`.*CLOUDFLARE_API_TOKEN/],
    ['a release that nobody can check', ['release'], {}, /--check-url <URL>/],
    [
      'steps that do not grow',
      ['release', '--check-url', 'http://127.0.0.1:9', '--steps', '10,1'],
      {},
      /the steps grow and begin above 0/,
    ],
    ['half a target', ['sync'], { CLOUDFLARE_API_TOKEN: 's3cret' }, /CLOUDFLARE_ACCOUNT_ID/],
    [
      'a token that is none',
      ['sync'],
      { ...CLOUDFLARE, CLOUDFLARE_API_TOKEN: 's3cret word' },
      /characters that a token cannot have/,
    ],
  ])) {
    test(`exits with 2 on ${what}`, async () => {
      const { code, stdout, stderr } = await slotctl(args, { env })
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, message)
      assert.ok(!stderr.includes('s3cret'))
    })
  }

  for (const [what, flags, message] of /** @type {[what: string, flags: string[], message: RegExp][]} */ ([
    [
      'the default environment',
      [],
      /SLOTS of the top level of .*wrangler\.toml is local \(`local-slots`\): name an environment with `--env` \(staging\)/,
    ],
    [
      'a placeholder',
      ['--env', 'staging'],
      /SLOTS in env\.staging\.kv_namespaces of .*wrangler\.toml has no namespace id yet \(`replace-me-staging-slots`\): `npx wrangler kv namespace create staging-slots --config .*wrangler\.toml`/,
    ],
    [
      'an unknown environment',
      ['--env', 'stagign'],
      /in .*wrangler\.toml: there is no environment `stagign` \(did you mean `staging`\?\)/,
    ],
    [
      'a missing file',
      ['--config', '/nowhere.toml'],
      /cannot read \/nowhere\.toml; `--config FILE` names another: No such file/,
    ],
  ])) {
    test(`refuses ${what} before anything is sent`, async () => {
      const cwd = temporaryFolder('config')
      writeFileSync(path.join(cwd, 'wrangler.toml'), CONFIG)
      const env = { ...CLOUDFLARE, CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9' }
      const { code, stderr } = await slotctl(['sync', '--repo', extractionRepo().dir, ...flags], { cwd, env })
      assert.equal(code, 1)
      assert.match(stderr, message)
    })
  }
})

describe('--json of a command that fails', () => {
  // There is no repository and no server.
  const local = ['--local', 'http://127.0.0.1:9']
  for (const [command, args] of [
    ['explain', ['explain', 'prompts/extraction', 'production', '--key', 'ada']],
    ['history', ['history', 'prompts/extraction', ...local]],
    ['lint', ['lint', '.']],
    ['push', ['push']],
    ['release', ['release', '--check-url', 'http://127.0.0.1:9']],
    ['rollback', ['rollback', 'prompts/extraction', 'production', ...local]],
    ['rollout', ['rollout', 'prompts/extraction', 'production', '--to', 'canary', '--percent', '10']],
    ['rollout plan', ['rollout', 'plan']],
    ['status', ['status', '--offline']],
    ['tag list', ['tag', 'list']],
    ['verify', ['verify', ...local]],
  ]) {
    test(`${command} contains the reason and the exit code`, async () => {
      const { code, json, stderr } = await slotctl([...args, '--json'], {
        cwd: temporaryFolder(),
        env: { SLOTCTL_RETRIES: '0' },
      })
      assert.notEqual(code, 0)
      assert.deepEqual([json.command, json.exit], [command, code])
      // The text for people has the same content, wrapped for the terminal.
      assert.ok(
        json.error.what.length > 10 && stderr.includes(json.error.what.split(':')[0]),
        `${json.error.what}\n${stderr}`,
      )
    })
  }
})
