#!/usr/bin/env node
// Creates a components repository: a folder with a prompt, a schema and the configuration of the resolver.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const USAGE = 'npm create component-resolver@latest <folder> [-- --no-install]'

/** The placeholder in the template for the name of the new repository. */
const NAME = 'my-components'

/** The files of the template that contain the name. */
const NAMED = ['package.json', 'wrangler.jsonc', 'README.md']

/** The slots of each example component; both give its only version. */
const SLOTS = ['staging', 'production']
const COMPONENTS = ['prompts/greeting', 'schemas/greeting']

/** An error that the user can fix: reported as one message, without a stack. */
class UserError extends Error {}

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`)

/** Runs a command and returns its output. @param {string} command @param {string[]} args @param {string} [cwd] */
function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error) throw new UserError(`${command} cannot be run: ${error.message}`)
  if (status !== 0) throw new UserError(`${command} ${args.join(' ')} failed:\n${(stderr || stdout).trim()}`)
  return stdout.trim()
}

function parseFolder() {
  const options = /** @type {const} */ ({ install: { type: 'boolean', default: true }, help: { type: 'boolean' } })
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true, allowNegative: true })
    if (values.help) return { help: true, folder: '', install: false }
    if (positionals.length !== 1) throw new Error('expected one folder')
    return { help: false, folder: path.resolve(positionals[0]), install: values.install }
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : error}\nUsage: ${USAGE}`)
  }
}

/** The name of the Worker and the package: the folder's, as far as Cloudflare allows it. @param {string} folder */
function nameOf(folder) {
  const name = path
    .basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
    .slice(0, 50)
  if (name) return name
  throw new UserError(`${path.basename(folder)} gives no name for a Worker: use a folder with a letter in its name.`)
}

/** Checks everything that can fail before the first file is written. @param {string} folder */
function checkFirst(folder) {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new UserError(`${folder} is not empty.`)
  run('git', ['--version'])
  try {
    run('git', ['var', 'GIT_COMMITTER_IDENT'])
  } catch {
    throw new UserError(`Git does not know who you are, and the versions are commits. Tell it, then run this again:
    git config --global user.name 'Your Name'
    git config --global user.email you@example.com`)
  }
}

/** @param {string} folder @param {string} name */
function copyTemplate(folder, name) {
  mkdirSync(folder, { recursive: true })
  cpSync(path.join(HERE, 'template'), folder, { recursive: true })
  // npm leaves files called .gitignore out of packages.
  renameSync(path.join(folder, 'gitignore'), path.join(folder, '.gitignore'))
  for (const file of NAMED) {
    const target = path.join(folder, file)
    writeFileSync(target, readFileSync(target, 'utf8').replaceAll(NAME, name))
  }
}

/** Installs the packages and commits the lock file; returns false if that fails. @param {string} folder */
function install(folder) {
  say('Installing the resolver and wrangler ...')
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  try {
    run(command, [...first, 'install', '--no-audit', '--no-fund'], folder)
    run('git', ['add', 'package-lock.json'], folder)
    run('git', ['commit', '--quiet', '--message', 'Lock the packages'], folder)
    return true
  } catch (error) {
    // The repository is whole without the packages, and npm can be run again.
    say(`error: ${error instanceof Error ? error.message : error}`)
    return false
  }
}

/** Makes the first commit and its tags, as plain Git does. @param {string} folder */
function commit(folder) {
  const git = (/** @type {string[]} */ ...args) => run('git', args, folder)
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Create the components repository')
  for (const component of COMPONENTS) {
    const tags = `components/${component}`
    git('tag', '--annotate', '--message', 'First version', `${tags}/v1.0.0`)
    for (const slot of SLOTS) git('tag', '--annotate', '--message', 'v1.0.0', `${tags}/${slot}`, `${tags}/v1.0.0^{}`)
  }
}

function main() {
  const options = parseFolder()
  if (options.help) return process.stdout.write(`Creates a components repository.\n\nUsage: ${USAGE}\n`)
  const { folder } = options
  checkFirst(folder)
  copyTemplate(folder, nameOf(folder))
  commit(folder)
  const installed = options.install && install(folder)
  if (options.install && !installed) process.exitCode = 1
  const shown = path.relative(process.cwd(), folder) || '.'
  const steps = [`cd ${/^[\w./-]+$/.test(shown) ? shown : `'${shown}'`}`, installed ? '' : 'npm install', 'npm run dev']
  say(
    `${shown} is a components repository. Next:\n\n${steps
      .filter(Boolean)
      .map((step) => `    ${step}\n`)
      .join('')}`,
  )
}

try {
  main()
} catch (error) {
  if (!(error instanceof UserError)) throw error
  say(`error: ${error.message}`)
  process.exitCode = 1
}
