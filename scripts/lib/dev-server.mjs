import { spawn } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { ownNode, wranglerScript } from './node-tools.mjs'
import { inRoot, ROOT } from './paths.mjs'
import { childEnv } from './run.mjs'
import { UserError } from './talk.mjs'

const HOST = '127.0.0.1'
const START_MS = 60_000
const STOP_MS = 5_000
const WATCHDOG = pathToFileURL(inRoot('scripts', 'lib', 'watchdog.mjs')).href

/** wrangler without talk to anybody else. */
export const QUIET_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  // The banner asks the registry for a newer wrangler.
  WRANGLER_HIDE_BANNER: 'true',
  // Nothing here reads request.cf, which wrangler would fetch from the Internet.
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_LOG_PATH: inRoot('.wrangler', 'logs'),
}

/**
 * `wrangler dev` on local KV. Port 0 takes any free one. Resolves once requests
 * are answered, to the address and how to stop it.
 *
 * `config` is another wrangler.toml, `env` one of its environments, `entry` another
 * Worker that gets its bindings; `watch` rebuilds the Worker when a source changes;
 * `quiet` keeps wrangler's talk back, unless it fails to start. `ended` resolves when
 * wrangler is gone, however that came about.
 */
export async function startDev(options = {}) {
  const { port = 8787, quiet = false } = options
  await refuseBusyPort(port)
  const child = spawnWrangler({ ...options, port, quiet })
  const talk = quiet ? collect(child) : () => ''
  const stop = stopper(child)
  try {
    const url = await ready(child)
    await answering(url)
    return { url, stop, ended: ended(child), pid: child.pid, talk }
  } catch (error) {
    await stop()
    throw new UserError(`wrangler dev did not start: ${error.message}\n${talk()}`.trimEnd())
  }
}

function spawnWrangler(options) {
  const { quiet, watch = false, isolated = false, persistTo = '.wrangler/state' } = options
  const state = path.resolve(ROOT, persistTo)
  const env = { ...QUIET_ENV }
  if (!watch) env.RESOLVER_PREBUILT = '1'
  // Where sessions find each other's Workers; tests keep to themselves.
  if (isolated) env.WRANGLER_REGISTRY_PATH = path.join(state, 'registry')
  const output = quiet ? 'pipe' : 'inherit'
  return spawn(ownNode(), wranglerArgs(options, state), {
    cwd: ROOT,
    env: childEnv(env),
    stdio: ['ignore', output, output, 'ipc'],
    // Its own group: Ctrl-C reaches it once, through `stop`, and the group can be
    // ended as a whole.
    detached: process.platform !== 'win32',
  })
}

function wranglerArgs({ port, config, env, entry = 'build/index.js' }, state) {
  const args = ['--no-warnings', '--import', WATCHDOG, wranglerScript(), 'dev']
  // Its own entry, not the default environment's: see wrangler-build.mjs.
  if (config) args.push('--config', path.resolve(ROOT, config))
  else args.push(entry)
  if (env) args.push('--env', env)
  args.push('--ip', HOST, '--port', String(port), '--inspector-port', '0')
  args.push('--persist-to', state, '--show-interactive-dev-session=false')
  return args
}

function collect(child) {
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

/** The address, which wrangler tells over IPC. */
function ready(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no word from it for a minute')), START_MS)
    const settle = (action) => (value) => {
      clearTimeout(timer)
      action(value)
    }
    child.once('error', settle(reject))
    child.once(
      'exit',
      settle(() => reject(new Error('it ended by itself'))),
    )
    child.on('message', (text) => {
      const message = typeof text === 'string' ? JSON.parse(text) : text
      if (message.event === 'DEV_SERVER_READY') settle(resolve)(`http://${HOST}:${message.port}`)
    })
  })
}

/** Waits until a request gets an answer, whatever it is. */
async function answering(url) {
  const deadline = Date.now() + START_MS
  while (!(await answers(url))) {
    if (Date.now() > deadline) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const answers = (url) =>
  new Promise((resolve) => {
    const request = http.get(`${url}/version`, (response) => {
      response.resume()
      response.on('end', () => resolve(true))
    })
    request.on('error', () => resolve(false))
  })

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null

const ended = (child) => new Promise((resolve) => (hasEnded(child) ? resolve() : child.once('exit', () => resolve())))

function stopper(child) {
  return async function stop() {
    if (child.pid === undefined || hasEnded(child)) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => killGroup(child), STOP_MS)
    await ended(child)
    clearTimeout(timer)
  }
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/** wrangler would take another port, or fail with a page of text. */
export async function refuseBusyPort(port) {
  if (port === 0) return
  const problem = await new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', resolve)
    probe.listen(port, HOST, () => probe.close(() => resolve(null)))
  })
  if (!problem) return
  const why = problem.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${problem.code})`
  throw new UserError(`Port ${port} ${why}: end what uses it, or take another one with --port.`)
}
