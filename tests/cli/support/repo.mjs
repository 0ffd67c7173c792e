import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** The environment of Git without the user's configuration. */
export const GIT_ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Grace',
  GIT_COMMITTER_EMAIL: 'grace@example.com',
}

const folders = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Creates a folder that is deleted at the end of the process. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(path.join(tmpdir(), `slotctl-${name}-`))
  folders.push(folder)
  return folder
}

/** A real Git repository with the tags that the edgit guide makes. */
export class Repo {
  /** The time of further commits and tags, in seconds since 1970; the clock's by default. */
  now = undefined

  constructor(dir) {
    this.dir = dir ?? temporaryFolder('repo')
    if (!dir) this.git('init', '--quiet', '--initial-branch=main')
  }

  /** Creates a bare copy, as a remote to push to. */
  publish() {
    const bare = new Repo(temporaryFolder('remote'))
    bare.git('clone', '--quiet', '--bare', this.dir, '.')
    // It is the remote: its own refs count.
    bare.git('remote', 'remove', 'origin')
    return bare
  }

  /** Creates a clone, like a colleague's. */
  clone() {
    const clone = new Repo(temporaryFolder('clone'))
    clone.git('clone', '--quiet', this.dir, '.')
    return clone
  }

  git(...args) {
    return this.gitWith('', ...args)
  }

  gitWith(input, ...args) {
    const date = this.now && `${this.now} +0000`
    const env = { ...GIT_ENV, ...(date && { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }) }
    const options = { cwd: this.dir, env, input, encoding: 'utf8', stdio: 'pipe' }
    return execFileSync('git', args, { ...options, maxBuffer: 1 << 26 }).trim()
  }

  /** Writes files by path and commits them; returns the commit id. */
  commit(files, message = 'Change') {
    for (const [file, content] of Object.entries(files)) {
      const target = path.join(this.dir, file)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, content)
    }
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '-m', message)
    return this.git('rev-parse', 'HEAD')
  }

  /** Tags HEAD, or `commit`, as a version; `force` replaces the tag. */
  version(component, version, { commit = 'HEAD', force = false } = {}) {
    const tag = `components/${component}/${version}`
    this.git('tag', ...(force ? ['--force'] : []), '-a', '-m', version, tag, commit)
  }

  /** Sets a slot as edgit does: a tag of the version's tag object. */
  slot(component, slot, version, message = `Set ${slot} to ${version}`) {
    const to = `components/${component}/${version}`
    this.git('tag', '--force', '-a', '-m', message, `components/${component}/${slot}`, to)
  }
}

/** A repository with `prompts/extraction` v1.0.0 (production) and v1.1.0 (staging). */
export function extractionRepo() {
  const repo = new Repo()
  repo.commit({ 'prompts/extraction.md': 'Extract.\n' })
  repo.version('prompts/extraction', 'v1.0.0')
  repo.commit({ 'prompts/extraction.md': 'Extract it all.\n' })
  repo.version('prompts/extraction', 'v1.1.0')
  repo.slot('prompts/extraction', 'production', 'v1.0.0')
  repo.slot('prompts/extraction', 'staging', 'v1.1.0')
  return repo
}
