import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { SLOTCTL } from '../../../scripts/lib/build.mjs'
import { packAll, stageCreate, stageResolver, stageSlotctl } from '../../../scripts/lib/pack.mjs'
import { hostPlatform } from '../../../scripts/lib/platforms.mjs'
import { close, listen } from '../../../tools/listen.mjs'
import { startRegistry } from './registry.mjs'

/** Why the packages cannot be tried here; false if they can. */
export const skip = !hostPlatform() && 'there is no package for this platform'

/** Packs the packages, once for each process. */
let packed
const tarballs = () => {
  packed ??= packAll([stageResolver(), stageCreate(), stageSlotctl(hostPlatform(), process.env.SLOTCTL ?? SLOTCTL)])
  return packed
}

/** A machine with Node and Git, an empty folder, and a registry that has the packages. */
export async function startNewcomer() {
  const folder = mkdtempSync(path.join(tmpdir(), 'packages-'))
  const registry = await startRegistry(await tarballs())
  const env = environment(folder, registry)
  return {
    folder,
    /** Runs a command; `extra` is one more stream for its output. */
    outcome: (command, args, cwd = folder) => outcome(spawn(command, args, { cwd, env, stdio: STDIO })),
    /** Starts a server; `stop` is Ctrl-C. */
    serve: (command, args, cwd) => serve(spawn(command, args, { cwd, env, stdio: STDIO, detached: true })),
    stop() {
      registry.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @type {import('node:child_process').StdioOptions} */
const STDIO = ['ignore', 'pipe', 'pipe', 'pipe']

/** Without this project's configuration of npm, its cache and its secrets. */
function environment(folder, registry) {
  const { PATH, SystemRoot } = process.env
  return {
    PATH: [path.dirname(process.execPath), PATH].join(path.delimiter),
    ...(SystemRoot && { SystemRoot }),
    HOME: path.join(folder, 'home'),
    npm_config_registry: registry.url,
    npm_config_cache: path.join(folder, 'cache'),
    npm_config_yes: 'true',
    npm_config_update_notifier: 'false',
    WRANGLER_SEND_METRICS: 'false',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'New User',
    GIT_AUTHOR_EMAIL: 'new@example.com',
    GIT_COMMITTER_NAME: 'New User',
    GIT_COMMITTER_EMAIL: 'new@example.com',
  }
}

const textOf = (stream) => stream.setEncoding('utf8').reduce((text, chunk) => text + chunk, '')

/** The exit code and the output of a command. */
async function outcome(child) {
  const ended = new Promise((resolve) => child.once('close', resolve))
  const [code, stdout, stderr, extra] = await Promise.all([ended, ...child.stdio.slice(1).map(textOf)])
  return { code, stdout, stderr, extra }
}

function serve(child) {
  let printed = ''
  for (const stream of child.stdio.slice(1)) stream.on('data', (chunk) => (printed += chunk))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    printed: () => printed,
    async stop() {
      if (child.exitCode === null) process.kill(-child.pid, 'SIGINT')
      await ended
    },
  }
}

/** A port that nothing uses now. */
export async function freePort() {
  const server = http.createServer()
  const port = await listen(server, 0)
  await close(server)
  return port
}

/** Repeats `attempt` until `isEnough` accepts its result. */
export async function until(attempt, isEnough, patience = 60_000) {
  const deadline = Date.now() + patience
  while (true) {
    const result = await attempt()
    if (isEnough(result)) return result
    if (Date.now() > deadline) throw new Error(`not as expected for ${patience / 1000} s: ${JSON.stringify(result)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
