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

/** An id in Cloudflare's format. */
const idOf = (number) => String(number).padStart(32, '0123456789abcdef')

/** A clone of the project that has been set up and built. */
export class Tree extends Repo {
  /** @param {{ packages?: boolean, dir?: string }} [options] */
  constructor({ packages = true, dir } = {}) {
    if (dir) mkdirSync(dir)
    super(dir)
    if (dir) this.git('init', '--quiet', '--initial-branch=main')
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

  /** Replaces the placeholders of wrangler.toml with ids, and commits. */
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

  /** Runs a script of the project without a terminal. */
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
