// Checks where code comes from that the workflows and the scripts run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'

import { parse } from 'yaml'

import { ROOT } from '../../scripts/lib/paths.mjs'
import { text } from './support/lint.mjs'

const tracked = (...patterns) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], { cwd: ROOT })
    .toString()
    .split('\n')
    .filter(Boolean)

const ACTIONS = tracked('*action.yml', '.github/workflows/*.yml', 'packages/*.yml')

describe('the actions that run', () => {
  test('are pinned to a commit, with the version beside it', () => {
    assert.ok(ACTIONS.length >= 5, ACTIONS.join(', '))
    const commits = new Map()
    for (const file of ACTIONS) {
      for (const [line, action, rest] of text(file).matchAll(/^ *(?:- )?uses: ([^@\s]+)(.*)$/gm)) {
        if (action.startsWith('./')) continue
        const [, commit, version] = /^@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)( # zizmor: .*)?$/.exec(rest) ?? []
        assert.ok(commit, `${file}: ${line.trim()}`)
        const repository = action.split('/').slice(0, 2).join('/')
        const known = commits.get(repository) ?? `${commit} ${version}`
        assert.equal(`${commit} ${version}`, known, `${file}: ${repository} has two versions`)
        commits.set(repository, known)
      }
    }
    assert.ok(commits.size >= 5)
  })

  test('use no cache in the workflow that publishes', () => {
    for (const file of [
      '.github/workflows/release.yml',
      '.github/workflows/packages.yml',
      '.github/actions/take-build/action.yml',
    ]) {
      assert.doesNotMatch(text(file), /^\s*(?:- uses: actions\/cache|cache:)/m, file)
    }
  })

  test('unpack the tested build after everything else that can run code', () => {
    const { steps } = parse(text('.github/actions/take-build/action.yml')).runs
    const last = steps.at(-1)
    assert.equal(last.name, 'Unpack')
    assert.match(last.run, /^sha256sum --check .*\ntar --extract /)
  })

  test('read the secrets of a sync from an environment', () => {
    const { jobs } = parse(text('.github/workflows/sync.yml'))
    for (const [name, job] of Object.entries(jobs)) {
      if (/secrets\./.test(JSON.stringify(job))) assert.equal(job.environment, 'sync', name)
    }
  })
})

describe('the scripts', () => {
  const SCRIPTS = tracked('.ci/*', 'scripts/*.mjs', 'tests/*.mjs', 'bench/*.mjs', '.github/*.yml', 'action.yml')

  test('install crates with the versions that their authors have locked', () => {
    const installs = SCRIPTS.filter((name) => !name.startsWith('tests/ci/')).flatMap((file) =>
      [...text(file).matchAll(/^(?!.*\bpip\b).*(?:cargo install --|\['install', ).*$/gm)].map(([line]) => [
        file,
        line.trim(),
      ]),
    )
    assert.ok(installs.length >= 2, JSON.stringify(installs))
    for (const [file, line] of installs) assert.match(line, /--locked/, file)
  })

  test('compile the wasm-bindgen that the project uses', () => {
    const [own, tool] = ['Cargo.lock', 'tools/wasm-bindgen/Cargo.lock'].map((file) => text(file))
    const version = (lock, name) => new RegExp(`^name = "${name}"\\nversion = "([^"]+)"`, 'm').exec(lock)?.[1]
    assert.equal(version(tool, 'wasm-bindgen-cli'), version(own, 'wasm-bindgen'))
  })

  test('install Python packages with the digests in a file', () => {
    const installs = /\bpip\b['")(][\s\S]{0,40}\binstall\b/
    const files = SCRIPTS.filter((file) => installs.test(text(file)) && !file.startsWith('tests/ci/'))
    assert.ok(files.length >= 2, JSON.stringify(files))
    for (const file of files) assert.match(text(file), /--require-hashes/, file)
  })

  test('download nothing but packages, whose digests are in a lock file', () => {
    for (const file of SCRIPTS.filter((name) => !name.startsWith('tests/ci/'))) {
      assert.doesNotMatch(text(file), /releases\/download|\bwget\b|curl [^\n]*\| *(?:ba)?sh/, file)
    }
  })
})
