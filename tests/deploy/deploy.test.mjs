// `npm run deploy:…` with the real wrangler and a recording account: what is refused before anything is
// sent, and what is sent.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import { wranglerScript } from '../../scripts/lib/node-tools.mjs'
import { inRoot } from '../../scripts/lib/paths.mjs'
import { temporaryFolder } from '../cli/support/repo.mjs'
import { startAccount } from './support/account.mjs'
import { Tree } from './support/tree.mjs'

const deploy = (env, ...more) => ['scripts/deploy.mjs', '--env', env, ...more]

let account
before(async () => {
  account = await startAccount()
  for (const env of ['staging', 'green', 'production'])
    account.secrets[`component-resolver-${env}`] = { READ_TOKENS: '{}' }
})
after(() => account.stop())

/** Makes a script see another version of Node. */
const asNode = (version) =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`

describe('a deployment is refused', () => {
  const cases =
    /** @type {[title: string, tree: { named?: boolean, change?: boolean, unbuilt?: boolean, packages?: boolean }, args: string[], code: number, said: RegExp][]} */ ([
      [
        'without namespaces',
        {},
        deploy('staging', '--prebuilt'),
        1,
        /no namespace ids for staging\..*\n {4}npx wrangler kv namespace create staging-slots --config wrangler\.toml\n {4}npx wrangler kv namespace create staging-components --config wrangler\.toml$/,
      ],
      [
        'to an environment that there is not',
        {},
        deploy('prod'),
        2,
        /^--env prod: wrangler.toml has staging, green, production\.\nUsage: /,
      ],
      ['to none', {}, ['scripts/deploy.mjs'], 2, /^--env is missing: wrangler.toml has/],
      ['with an option that it does not know', {}, deploy('staging', '--force'), 2, /Unknown option '--force'/],
      [
        'to production at once',
        { named: true },
        deploy('production', '--prebuilt'),
        1,
        /^production is released in steps: slotctl release .*\n.* use --at-once\.$/,
      ],
      [
        'of what is in no commit',
        { named: true, change: true },
        deploy('staging', '--prebuilt'),
        1,
        /^There are uncommitted changes: commit them, or use --allow-dirty\.\n {4}\?\? new\.txt$/,
      ],
      [
        'of a build that is not there',
        { named: true, unbuilt: true },
        deploy('green', '--prebuilt'),
        1,
        /build\/index\.js is missing/,
      ],
      [
        'by a Node that is too old for the scripts',
        { named: true },
        ['--import', asNode('18.20.0'), ...deploy('staging')],
        1,
        /^Node 18\.20\.0 is too old/,
      ],
      [
        'by a Node that is too old for wrangler, where the project has none',
        { named: true, packages: false },
        ['--import', asNode('20.11.0'), ...deploy('staging', '--prebuilt')],
        1,
        /There is no Node 22 for \S+ in node_modules/,
      ],
    ])
  for (const [title, { named, change, unbuilt, packages = true }, args, code, words] of cases) {
    test(title, async () => {
      const tree = new Tree({ packages })
      if (named) tree.named()
      if (change) tree.write('new.txt', 'x')
      if (unbuilt) rmSync(path.join(tree.dir, 'build'), { recursive: true })
      const answer = await tree.run(args, { env: account.env })
      assert.equal(answer.code, code, answer.said)
      assert.match(answer.said.trimEnd(), words)
      assert.deepEqual(account.calls, [])
    })
  }
})

describe('a deployment', () => {
  test('uploads the build, byte for byte, named after its commit', async () => {
    const tree = new Tree().named()
    const { code, said } = await tree.run(deploy('staging', '--prebuilt'), { env: account.env })
    assert.equal(code, 0, said)
    const [{ script, metadata, modules }] = account.uploads.splice(0)
    assert.equal(script, 'component-resolver-staging')
    assert.deepEqual(metadata.annotations, { 'workers/tag': 'v9.9.9', 'workers/message': 'Name the namespaces' })
    assert.deepEqual(
      metadata.bindings.map(({ name, type }) => `${name} ${type}`),
      ['SLOTS kv_namespace', 'COMPONENTS kv_namespace', 'CF_VERSION_METADATA version_metadata'],
    )
    assert.deepEqual(metadata.keep_bindings, ['secret_text', 'secret_key'], 'the read tokens stay')
    assert.deepEqual(Object.keys(modules).sort(), ['index.js', 'index_bg.wasm'])
    for (const [name, bytes] of Object.entries(modules))
      assert.ok(bytes.equals(readFileSync(inRoot('build', name))), name)
  })

  test('uploads the same build to another environment, and to production with --at-once', async () => {
    const tree = new Tree().named()
    tree.write('new.txt', 'x')
    const { code, said } = await tree.run(deploy('production', '--prebuilt', '--at-once', '--allow-dirty'), {
      env: account.env,
    })
    assert.equal(code, 0, said)
    const [{ script, metadata, modules }] = account.uploads.splice(0)
    assert.deepEqual([script, metadata.annotations['workers/tag']], ['component-resolver-production', 'v9.9.9'])
    assert.ok(modules['index_bg.wasm'].equals(readFileSync(inRoot('build', 'index_bg.wasm'))))
    assert.ok(!said.includes(account.env.CLOUDFLARE_API_TOKEN))
  })

  test('is only printed with --dry-run', async () => {
    const { code, said } = await new Tree()
      .named()
      .run(deploy('green', '--prebuilt', '--dry-run'), { env: account.env })
    assert.equal(code, 0, said)
    assert.match(said, /^── Deploying v9\.9\.9 to green\n {4}[0-9a-f]{64} {2}build\/index\.js$/m)
    assert.match(said, /--dry-run: exiting now\./)
    assert.deepEqual(account.uploads, [])
  })

  test('fails if wrangler fails', async () => {
    const env = { ...account.env, CLOUDFLARE_API_TOKEN: 'wrong' }
    const { code } = await new Tree().named().run(deploy('staging', '--prebuilt'), { env })
    assert.equal(code, 1)
    assert.deepEqual(account.uploads, [])
  })
})

describe('a Worker that everybody could read', () => {
  const SCRIPT = 'component-resolver-green'
  let open
  before(async () => {
    open = await startAccount()
  })
  after(() => open.stop())
  const run = (tree, ...more) => tree.run(deploy('green', '--prebuilt', ...more), { env: open.env })
  const uploaded = () => open.uploads.splice(0).map(({ script }) => script)

  test('is not deployed, whether it exists or not', async () => {
    for (const secrets of [{}, { [SCRIPT]: {} }, { [SCRIPT]: { OTHER: 'x' } }]) {
      open.secrets = secrets
      const { code, said } = await run(new Tree().named())
      assert.equal(code, 1, said)
      assert.match(said, /^green has no READ_TOKENS: everybody could read/m)
      assert.match(said, /^ {4}npx wrangler secret put READ_TOKENS --config wrangler\.toml --env green\nor .*--public/m)
      assert.deepEqual(uploaded(), [])
    }
  })

  test('is deployed with --public', async () => {
    open.secrets = {}
    const { code, said } = await run(new Tree().named(), '--public')
    assert.equal(code, 0, said)
    assert.deepEqual(uploaded(), [SCRIPT])
  })

  test('is not meant if wrangler.toml has the tokens', async () => {
    const store = '[[env.green.secrets_store_secrets]]\nbinding = "READ_TOKENS"\nstore_id = "s"\nsecret_name = "t"\n'
    const inline = '[env.green.vars]\nREAD_TOKENS = { a = ["*"] }\n'
    for (const setting of [store, inline]) {
      const tree = new Tree().named()
      tree.write('wrangler.toml', `${tree.read('wrangler.toml')}\n${setting}`)
      const { code, said } = await run(tree, '--allow-dirty')
      assert.equal(code, 0, said)
      assert.deepEqual(uploaded(), [SCRIPT])
    }
  })

  test('is not looked up with --dry-run', async () => {
    open.calls.length = 0
    const { code, said } = await run(new Tree().named(), '--dry-run')
    assert.equal(code, 0, said)
    assert.match(said, /READ_TOKENS is not in wrangler\.toml\. Without --dry-run, it has to be a secret/)
    assert.deepEqual(open.calls, [])
  })

  test('no environment has preview URLs, and production has no workers.dev address', () => {
    const tree = new Tree()
    for (const env of ['staging', 'green', 'production']) {
      const [, block] = tree.read('wrangler.toml').split(`\n[env.${env}]\n`)
      assert.match(block.split('\n\n')[0], /^preview_urls = false$/m)
      assert.match(block.split('\n\n')[0], new RegExp(`^workers_dev = ${env !== 'production'}$`, 'm'))
    }
  })
})

describe('with another app in the parent folder of the clone', () => {
  /** The project in a folder of its own below the other app, which wrangler prefers. */
  function below() {
    const parent = temporaryFolder('other-app')
    const config = {
      name: 'other-app',
      main: 'other.mjs',
      compatibility_date: '2026-10-01',
      env: { production: {}, staging: {} },
    }
    writeFileSync(path.join(parent, 'wrangler.jsonc'), JSON.stringify(config))
    writeFileSync(path.join(parent, 'other.mjs'), 'export default { fetch: () => new Response("the other app") }\n')
    return new Tree({ dir: path.join(parent, 'component-resolver') }).named()
  }

  test('wrangler left to itself would deploy that one', async () => {
    const { code } = await below().run([wranglerScript(), 'deploy', '--env', 'production'], {
      env: { ...account.env, WRANGLER_SEND_METRICS: 'false' },
    })
    assert.equal(code, 0)
    assert.deepEqual(
      account.uploads.splice(0).map(({ script }) => script),
      ['other-app-production'],
    )
  })

  test('this project is deployed', async () => {
    for (const more of [['--dry-run'], []]) {
      const { code, said } = await below().run(deploy('production', '--prebuilt', '--at-once', ...more), {
        env: account.env,
      })
      assert.equal(code, 0, said)
      assert.match(said, /env\.SLOTS \([0-9a-f]{32}\)/)
      assert.doesNotMatch(said, /other/)
    }
    const [{ script, modules }, ...rest] = account.uploads.splice(0)
    assert.deepEqual([script, rest], ['component-resolver-production', []])
    assert.ok(modules['index_bg.wasm'].equals(readFileSync(inRoot('build', 'index_bg.wasm'))))
  })

  test('this project is served', async () => {
    const script = `
      import { startDev } from './scripts/lib/dev-server.mjs'
      const server = await startDev({ port: 0, quiet: true, isolated: true, persistTo: '.wrangler/state' })
      console.log(await (await fetch(server.url + '/version')).text())
      await server.stop()`
    const { code, said } = await below().run(['--input-type=module', '--eval', script])
    assert.equal(code, 0, said)
    assert.match(said, /"recordFormat"/)
  })
})

describe('blue-green by environment', () => {
  const DOMAIN = 'components.example.com'
  const line = `routes = [{ pattern = "${DOMAIN}", custom_domain = true }]\n`
  const triggers = (env) => [wranglerScript(), 'triggers', 'deploy', '--config', 'wrangler.toml', '--env', env]

  /** Commits the line that gives an environment the traffic. */
  const live = (tree, env) => {
    tree.write(
      'wrangler.toml',
      tree.read('wrangler.toml').replace(line, '').replace(`[env.${env}]\n`, `[env.${env}]\n${line}`),
    )
    tree.commit({}, `Let ${env} have the traffic`)
  }

  test('one line moves the domain to green, and its revert moves it back', async () => {
    const tree = new Tree().named()
    const env = { ...account.env, WRANGLER_SEND_METRICS: 'false' }
    for (const [name, change] of /** @type {[name: string, change: () => unknown][]} */ ([
      ['production', () => live(tree, 'production')],
      ['green', () => live(tree, 'green')],
      ['production', () => tree.git('revert', '--no-edit', 'HEAD')],
    ])) {
      change()
      const { code, said } = await tree.run(triggers(name), { env })
      assert.equal(code, 0, said)
      assert.deepEqual(account.domains, { [DOMAIN]: `component-resolver-${name}` })
    }
    assert.deepEqual(account.uploads, [], 'no code moves')
  })
})
