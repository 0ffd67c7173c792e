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

/** What each version is. */
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

/** One served Worker for all of the pages, and a shell that has `slotctl`. */
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
   * Where every page begins: production is v1.0.0, what becomes v1.1.0 is committed
   * and pushed. Keys of an earlier page are gone; contents are always the same, so
   * that what the Worker keeps in memory by its digest is right.
   */
  async begin() {
    for (const id of Object.values(IDS)) {
      const namespace = new Kv(this.url, id)
      for (const key of Object.keys(await namespace.list())) await namespace.delete(key)
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

  /** Types commands into a shell in the clone; the first that fails ends it. */
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

  /** What CI does after every push, on the remote. */
  async sync() {
    const args = ['sync', '--local', this.url, '--config', this.config, '--repo', this.remote.dir]
    const { code, stderr } = await slotctl(args)
    if (code !== 0) throw new Error(`slotctl sync ended with ${code}: ${stderr}`)
  }

  /** What a caller gets. `fetch` would not send another host. */
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
