// Checks docs/deploying.md and docs/secure.md: every command exists, every snippet of TOML is valid for wrangler, and the
// names are those of wrangler.toml and release.yml.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { parse } from 'yaml'

import { wranglerScript } from '../../scripts/lib/node-tools.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { capture } from '../../scripts/lib/run.mjs'
import { slotctl } from '../cli/support/slotctl.mjs'
import { startAccount } from './support/account.mjs'
import { commands, fences, options } from './support/commands.mjs'
import { merged } from './support/toml.mjs'
import { Tree } from './support/tree.mjs'

const text = (file) => readFileSync(inRoot(file), 'utf8')
const PAGE = text('docs/deploying.md')
const WORKFLOW = text('.github/workflows/release.yml')
const VARIABLES = {
  PWD: '/project',
  PATH: '/bin',
  CLOUDFLARE_ACCOUNT_ID: '0af',
  STAGING_URL: 'https://staging.example.com',
  name: 'staging',
  PRODUCTION_URL: 'https://components.example.com',
  GREEN_URL: 'https://green.example.com',
  RESOLVER_TOKEN: 'crt_x',
}
const ALL = commands(
  [PAGE, text('docs/secure.md')].flatMap((page) => fences(page, 'sh')),
  VARIABLES,
)
const of = (...start) => ALL.filter((words) => start.every((word, at) => words[at] === word))
const shown = (words) => words.join(' ')

const QUIET = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', NO_COLOR: '1' }
const run = promisify(execFile)

describe('the commands of docs/deploying.md and docs/secure.md', () => {
  test('use only tools that are tested here', () => {
    const known = ['slotctl', 'npx', 'npm', 'gh', 'git', 'curl', 'export', 'read']
    assert.deepEqual(ALL.filter(([tool]) => !known.includes(tool)).map(shown), [])
  })

  test('of slotctl are valid', async () => {
    const all = of('slotctl')
    assert.ok(all.length >= 8)
    for (const words of all) {
      const { code, stderr } = await slotctl([...words.slice(1), '--help'])
      assert.equal(code, 0, `${shown(words)}\n${stderr}`)
    }
    assert.equal((await slotctl(['sync', '--nowhere', '--help'])).code, 2, 'an option that there is not is found')
  })

  test('of wrangler exist, with their options', async () => {
    const help = (command) =>
      run(process.execPath, [wranglerScript(), ...command.split(' '), '--help'], { env: { ...process.env, ...QUIET } })
    const called = of('npx', 'wrangler').map((words) => ({ words, command: subcommand(words.slice(2)) }))
    const names = [...new Set(called.map(({ command }) => command))]
    const helps = new Map(
      await Promise.all(names.map(async (name) => /** @type {const} */ ([name, (await help(name)).stdout]))),
    )
    assert.ok(names.length >= 7)
    for (const { words, command } of called) {
      assert.match(helps.get(command), new RegExp(`^wrangler ${command}( [<[].*)?$`, 'm'), shown(words))
      for (const option of options(words))
        assert.ok(helps.get(command).includes(` ${option}`), `${shown(words)}: ${option}`)
    }
  })

  /** The words before the first argument. */
  function subcommand(words) {
    const given = words.findIndex((word) => !/^[a-z]+$/.test(word))
    return words.slice(0, given < 0 ? undefined : given).join(' ')
  }

  test('of npm exist, with their options', () => {
    const { scripts } = JSON.parse(text('package.json'))
    for (const words of of('npm', 'run')) {
      const script = scripts[words[2]]
      assert.ok(script, shown(words))
      const source = text(/scripts\/[\w-]+\.mjs/.exec(script)[0])
      for (const option of options(words))
        assert.match(source, new RegExp(`^ +'?${option.slice(2)}'?: \\{ type`, 'm'), shown(words))
    }
  })

  test('of curl have valid options', async () => {
    const { stdout } = await run('curl', ['--help', 'all'])
    for (const words of of('curl'))
      for (const option of options(words)) assert.match(stdout, new RegExp(`${option}[ ,]`), shown(words))
  })

  const unique = (values) => [...new Set(values)].sort()
  const secretsOf = (isWanted) =>
    of('gh', 'secret', 'set').flatMap((words) => (isWanted(words[words.indexOf('--env') + 1]) ? [words[3]] : []))

  test('of gh set exactly the secrets that sync.yml needs, in its environment', () => {
    const source = text('.github/workflows/sync.yml')
    const { sync } = parse(source).jobs
    const read = unique([...source.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name))
    const [comment] = source.split('\nname: ')
    const [needed, optional] = comment.split('Optional are').map((part) => read.filter((name) => part.includes(name)))
    assert.deepEqual(unique([...needed, ...optional]), read)
    assert.deepEqual(unique(secretsOf((environment) => environment === sync.environment)), needed)
  })

  test('of gh create the environments of both workflows, and exactly the secrets and variables that release.yml reads', () => {
    const used = (pattern) => unique([...WORKFLOW.matchAll(pattern)].map(([, name]) => name))
    const environments = unique(
      Object.values(parse(WORKFLOW).jobs).flatMap(({ environment }) => environment?.name ?? []),
    )
    const made = of('gh', 'api', '--method', 'PUT').map((words) => words[4].split('/').at(-1))
    const { sync } = parse(text('.github/workflows/sync.yml')).jobs
    assert.deepEqual(unique(made), unique([...environments, sync.environment]))
    assert.deepEqual(/^for name in (.*); do$/m.exec(PAGE)[1].split(' ').sort(), environments)
    assert.deepEqual(unique(secretsOf((environment) => environment !== sync.environment)), used(/secrets\.(\w+)/g))
    assert.deepEqual(unique(of('gh', 'variable', 'set').map((words) => words[3])), used(/vars\.(\w+)/g))
    const approved = of('gh', 'api')
      .filter((words) => words.some((word) => word.startsWith('reviewers')))
      .map((words) => words[4].split('/').at(-1))
    assert.deepEqual(approved, ['production-10', 'production-100'])
  })

  test('name the configuration in every call of wrangler, on every page and in every hint', () => {
    const all = capture('git', ['ls-files', '*.md', '*.mjs', '*.rs', '*.toml', '*.yml', 'package.json']) ?? ''
    const files = all.split('\n').filter((file) => !file.startsWith('tests/'))
    const calls = files.flatMap((file) =>
      [...text(file).matchAll(/npx wrangler ([^`\n|]*)/g)].map(([, rest]) => `${file}: ${rest}`),
    )
    assert.ok(calls.length > 20)
    // A login is one of a person and is for all Workers.
    assert.deepEqual(
      calls.filter((call) => !call.includes('--config') && !call.includes('{words}') && !/: login$/.test(call)),
      [],
    )
  })

  test('create the namespaces that wrangler.toml needs', () => {
    const lacking = [...text('wrangler.toml').matchAll(/"replace-me-((?:staging|production)-[\w-]+)"/g)].map(
      ([, name]) => name,
    )
    assert.deepEqual(
      of('npx', 'wrangler', 'kv', 'namespace', 'create')
        .map((words) => words[5])
        .sort(),
      lacking.sort(),
    )
  })
})

describe('the TOML of the pages', () => {
  const bindings = {
    'docs/deploying.md': ['ANALYTICS', 'HOST_SLOTS', 'CORS_ORIGINS'],
    'docs/observability.md': ['ANALYTICS'],
    'docs/secure.md': ['READ_TOKENS'],
  }
  for (const [page, names] of Object.entries(bindings)) {
    test(`${page} is valid for wrangler`, async () => {
      const tree = new Tree()
      const before = tree.read('wrangler.toml')
      const config = fences(text(page), 'toml').reduce(merged, before)
      assert.notEqual(config, before)
      tree.write('wrangler.toml', config)
      for (const env of ['production', 'green']) {
        const { code, said } = await tree.run(
          [wranglerScript(), 'deploy', '--dry-run', '--config', 'wrangler.toml', '--env', env],
          {
            env: { ...QUIET, RESOLVER_PREBUILT: '1' },
          },
        )
        assert.equal(code, 0, said)
        assert.doesNotMatch(said, /WARNING|Unexpected/)
        for (const name of env === 'production' ? names : []) assert.match(said, new RegExp(`^env\\.${name} `, 'm'))
      }
    })
  }

  test('a misspelt line is found', async () => {
    const tree = new Tree()
    tree.write('wrangler.toml', merged(tree.read('wrangler.toml'), '[env.production]\nroute_s = []\n'))
    const { said } = await tree.run(
      [wranglerScript(), 'deploy', '--dry-run', '--config', 'wrangler.toml', '--env', 'production'],
      {
        env: { ...QUIET, RESOLVER_PREBUILT: '1' },
      },
    )
    assert.match(said, /Unexpected fields found.*"route_s"/)
  })
})

describe('a secret', () => {
  let account
  before(async () => {
    account = await startAccount()
  })
  after(() => account.stop())

  test('is set before the first deployment, and is not printed', async () => {
    const { stdout } = await slotctl(['token', '--scope', '*'])
    const [, entry] = stdout.trim().split('\n')
    const [words] = of('npx', 'wrangler', 'secret', 'put')
    const { code, said } = await new Tree().run([wranglerScript(), ...words.slice(2)], {
      env: { ...account.env, ...QUIET },
      input: entry,
    })
    assert.equal(code, 0, said)
    assert.deepEqual(account.secrets, { 'component-resolver-staging': { READ_TOKENS: entry } })
    assert.ok(!said.includes(entry))
    assert.match(said, /✨ Success! Uploaded secret READ_TOKENS/)
  })
})
