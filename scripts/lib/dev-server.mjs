import { spawn } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { messageOf, UserError } from './cli.mjs'
import { ownNode, wranglerScript } from './node-tools.mjs'
import { inRoot, ROOT } from './paths.mjs'
import { childEnv } from './run.mjs'
import { CONFIG } from './wrangler-config.mjs'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * @typedef {object} DevOptions
 * @property {number} [port] 8787 by default; 0 uses any free port
 * @property {string} [config] another wrangler.toml
 * @property {string} [env] an environment of wrangler.toml
 * @property {string} [entry] the entry of another Worker, which gets the same bindings
 * @property {string} [persistTo] the folder of the local KV
 * @property {boolean} [watch] rebuilds the Worker when a source file changes
 * @property {boolean} [quiet] hides wrangler's output, unless wrangler fails to start
 * @property {boolean} [isolated] hides the Worker from other `wrangler dev` sessions
 */

const HOST = '127.0.0.1'
const START_MS = 60_000
const STOP_MS = 5_000
const WATCHDOG = pathToFileURL(inRoot('scripts', 'lib', 'watchdog.mjs')).href

/** The environment of a wrangler that contacts nobody. @type {Record<string, string>} */
export const QUIET_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  // The banner asks the registry for a newer wrangler.
  WRANGLER_HIDE_BANNER: 'true',
  // wrangler would fetch request.cf from the Internet; the Worker does not use it.
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_LOG_PATH: inRoot('.wrangler', 'logs'),
}

/**
 * Starts `wrangler dev` on local KV. Resolves when requests are answered. `ended` resolves when
 * wrangler has ended, for whatever reason.
 *
 * @param {DevOptions} [options]
 */
export async function startDev(options = {}) {
  const { port = 8787, quiet = false } = options
  await refuseBusyPort(port)
  const child = spawnWrangler({ ...options, port, quiet })
  const output = quiet ? collect(child) : () => ''
  const stop = stopper(child)
  try {
    const url = await ready(child)
    await answering(url)
    return { url, stop, ended: ended(child), pid: child.pid }
  } catch (error) {
    await stop()
    throw new UserError(`wrangler dev did not start: ${messageOf(error)}\n${output()}`.trimEnd())
  }
}

/** @param {DevOptions} options */
function spawnWrangler(options) {
  const { quiet, watch = false, isolated = false, persistTo = '.wrangler/state' } = options
  const state = path.resolve(ROOT, persistTo)
  const env = { ...QUIET_ENV }
  if (!watch) env.RESOLVER_PREBUILT = '1'
  // Sessions with the same registry find each other's Workers.
  if (isolated) env.WRANGLER_REGISTRY_PATH = path.join(state, 'registry')
  const output = quiet ? 'pipe' : 'inherit'
  return spawn(ownNode(), wranglerArgs(options, state), {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['ignore', output, output, 'ipc'],
    // With a process group of its own, Ctrl-C reaches it only through `stop`, and the whole group
    // can be killed.
    detached: process.platform !== 'win32',
  })
}

/** @param {DevOptions} options @param {string} state */
function wranglerArgs({ port, config, env, entry = 'build/index.js' }, state) {
  const args = ['--no-warnings', '--import', WATCHDOG, wranglerScript(), 'dev']
  args.push('--config', config ? path.resolve(ROOT, config) : CONFIG)
  // The entry is given here, as the default environment's is only for a `wrangler dev` by hand: see wrangler-build.mjs.
  if (!config) args.push(path.resolve(ROOT, entry))
  if (env) args.push('--env', env)
  args.push('--ip', HOST, '--port', String(port), '--inspector-port', '0')
  args.push('--persist-to', state, '--show-interactive-dev-session=false')
  return args
}

/** @param {ChildProcess} child */
function collect(child) {
  /** @type {Buffer[]} */
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

/** The address, which wrangler sends over IPC. @param {ChildProcess} child @returns {Promise<string>} */
function ready(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it sent no address for a minute')), START_MS)
    const settle = (/** @type {() => void} */ action) => {
      clearTimeout(timer)
      action()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', () => settle(() => reject(new Error('it ended'))))
    child.on('message', (sent) => {
      const message = /** @type {{ event?: string, port?: number }} */ (
        typeof sent === 'string' ? JSON.parse(sent) : sent
      )
      if (message.event === 'DEV_SERVER_READY') settle(() => resolve(`http://${HOST}:${message.port}`))
    })
  })
}

/** Waits until a request gets a response, whatever its status. @param {string} url */
async function answering(url) {
  const deadline = Date.now() + START_MS
  while (!(await answers(url))) {
    if (Date.now() > deadline) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** @param {string} url @returns {Promise<boolean>} */
const answers = (url) =>
  new Promise((resolve) => {
    const request = http.get(`${url}/version`, (response) => {
      response.resume()
      response.on('end', () => resolve(true))
    })
    request.on('error', () => resolve(false))
  })

/** @param {ChildProcess} child */
const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null

/** @param {ChildProcess} child @returns {Promise<void>} */
const ended = (child) => new Promise((resolve) => (hasEnded(child) ? resolve() : child.once('exit', () => resolve())))

/** @param {ChildProcess} child */
function stopper(child) {
  return async function stop() {
    if (child.pid === undefined || hasEnded(child)) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => killGroup(child), STOP_MS)
    await ended(child)
    clearTimeout(timer)
  }
}

/** @param {ChildProcess} child */
function killGroup(child) {
  try {
    process.kill(-Number(child.pid), 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/**
 * Fails if the port is in use. wrangler would take another port, or fail with a page of text.
 *
 * @param {number} port
 */
export async function refuseBusyPort(port) {
  if (port === 0) return
  /** @type {NodeJS.ErrnoException | null} */
  const problem = await new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', resolve)
    probe.listen(port, HOST, () => probe.close(() => resolve(null)))
  })
  if (!problem) return
  const why = problem.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${problem.code})`
  throw new UserError(`Port ${port} ${why}: stop the process that uses it, or choose another port with --port.`)
}
