import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'

import { startDev } from '../../../scripts/lib/dev-server.mjs'
import { inRoot } from '../../../scripts/lib/paths.mjs'
import { Kv } from '../../cli/support/kv.mjs'
import { GIT_ENV, Repo, temporaryFolder } from '../../cli/support/repo.mjs'
import { binary, gitEnv, slotctl } from '../../cli/support/slotctl.mjs'

const HOSTS = { 'staging.example.com': 'staging', 'blue.example.com': 'blue', 'green.example.com': 'green' }
const IDS = { SLOTS: 'strategies-slots', COMPONENTS: 'strategies-components' }

/** The content of each version. */
export const CONTENTS = {
  'v1.0.0': 'Extract the fields.\n',
  'v1.1.0': 'Extract every field, the nested ones too.\n',
}
const FILE = 'prompts/extraction.md'

const configText = () => `
name = "strategies"
main = ${JSON.stringify(inRoot('build', 'index.js'))}
compatibility_date = "2026-10-01"
${Object.entries(IDS)
  .map(([binding, id]) => `[[kv_namespaces]]\nbinding = "${binding}"\nid = "${id}"`)
  .join('\n')}
[version_metadata]
binding = "CF_VERSION_METADATA"
[vars]
HOST_SLOTS = ${JSON.stringify(JSON.stringify(HOSTS))}
`

/** Starts one Worker for all pages, and a shell with `slotctl`. */
export async function startStage() {
  const folder = temporaryFolder('strategies')
  const config = path.join(folder, 'wrangler.toml')
  const bin = path.join(folder, 'bin')
  writeFileSync(config, configText())
  mkdirSync(bin)
  symlinkSync(binary(), path.join(bin, 'slotctl'))
  const server = await startDev({ port: 0, config, persistTo: path.join(folder, 'state'), quiet: true, isolated: true })
  return new Stage(server, config, bin)
}

class Stage {
  constructor(server, config, bin) {
    this.url = server.url
    this.stop = server.stop
    this.config = config
    this.bin = bin
  }

  /**
   * Prepares the start of a page: production is v1.0.0, and the next version is committed and pushed.
   * The keys of earlier pages are deleted. The contents are always the same, so that the Worker's
   * memory stays correct.
   */
  async begin() {
    for (const id of Object.values(IDS)) {
      const namespace = new Kv(this.url, id)
      for (const key of Object.keys(await namespace.listAll())) await namespace.delete(key)
    }
    const repo = new Repo()
    repo.commit({ [FILE]: CONTENTS['v1.0.0'] })
    this.remote = repo.publish()
    this.repo = this.remote.clone()
    await this.type(
      'slotctl tag create prompts/extraction v1.0.0\nslotctl tag set prompts/extraction production v1.0.0\nslotctl push --tags --force',
    )
    this.repo.commit({ [FILE]: CONTENTS['v1.1.0'] })
    await this.type('git push --quiet')
    await this.sync()
  }

  /** Runs commands in a shell in the clone, up to the first failure. */
  type(commands) {
    const env = { ...process.env, ...gitEnv(), HOME: GIT_ENV.HOME, PATH: `${this.bin}:${process.env.PATH}` }
    const child = spawn('sh', ['-e', '-c', commands], { cwd: this.repo.dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`${commands}\n${said}`))))
    })
  }

  setPolicy(text) {
    writeFileSync(path.join(this.repo.dir, 'rollouts.toml'), text)
  }

  /** Syncs the remote, like CI after every push, and checks the exit code. */
  async sync({ flags = [], exit = 0 } = {}) {
    const args = ['sync', '--local', this.url, '--config', this.config, '--repo', this.remote.dir, ...flags]
    const { code, stderr } = await slotctl(args)
    if (code !== exit) throw new Error(`slotctl sync ended with ${code}: ${stderr}`)
  }

  /** Sends a request. It does not use `fetch`, which cannot set the host. */
  get(place, headers = {}) {
    return new Promise((resolve, reject) => {
      const request = http.get(`${this.url}${place}`, { headers, agent: this.agent }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => (body += text))
        response.on('end', () => resolve(answer(response, body)))
      })
      request.once('error', reject)
    })
  }

  agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
}

/** @param {http.IncomingMessage} response @param {string} body */
const answer = ({ statusCode: status, headers }, body) => ({
  status,
  body,
  version: headers['component-version'],
  slot: headers['component-slot'],
  assignment: headers['component-assignment'],
})
