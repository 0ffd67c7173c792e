import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { inRoot } from '../../../scripts/lib/paths.mjs'
import { GIT_ENV, Repo } from '../../cli/support/repo.mjs'

const KEPT = [
  'scripts',
  'package.json',
  'package-lock.json',
  'wrangler.toml',
  '.gitignore',
  'build/index.js',
  'build/index_bg.wasm',
]

/** An id that Cloudflare could have given. */
const idOf = (number) => String(number).padStart(32, '0123456789abcdef')

/** The project as somebody has cloned, set up and built it, in a repository of its own. */
export class Tree extends Repo {
  constructor({ packages = true } = {}) {
    super()
    for (const file of KEPT) cpSync(inRoot(file), path.join(this.dir, file), { recursive: true })
    if (packages) symlinkSync(inRoot('node_modules'), path.join(this.dir, 'node_modules'))
    else mkdirSync(path.join(this.dir, 'node_modules'))
    this.commit({}, 'Answer sooner')
    this.git('tag', '-a', '-m', 'v9.9.9', 'v9.9.9')
  }

  read(file) {
    return readFileSync(path.join(this.dir, file), 'utf8')
  }

  write(file, text) {
    writeFileSync(path.join(this.dir, file), text)
  }

  /** Puts ids in the place of what wrangler.toml says is to be replaced, and commits. */
  named() {
    let number = 0
    this.write(
      'wrangler.toml',
      this.read('wrangler.toml').replace(/replace-me-[\w-]+/g, () => {
        number += 1
        return idOf(number)
      }),
    )
    this.commit({}, 'Name the namespaces')
    this.git('tag', '-f', '-a', '-m', 'v9.9.9', 'v9.9.9')
    return this
  }

  /** Runs a script of the project; without a terminal. */
  run(args, { env = {}, input = '' } = {}) {
    return new Promise((resolve) => {
      const given = { ...GIT_ENV, HOME: this.dir, NO_COLOR: '1', ...env }
      const child = spawn(process.execPath, args, { cwd: this.dir, env: given })
      child.stdin.end(input)
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
      child.once('close', (code) => resolve({ code, said }))
    })
  }
}
