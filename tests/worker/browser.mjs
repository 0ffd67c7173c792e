import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-dev-shm-usage',
]

const runs = (command) => spawnSync(command, ['--version']).status === 0

/** The path of Chromium: CHROMIUM, or from the PATH. */
export const findChromium = () => [process.env.CHROMIUM, ...NAMES].find((name) => name && runs(name))

/** The document of a page after its scripts have run, in a new browser profile. */
export async function dumpDom(chromium, url) {
  const profile = mkdtempSync(path.join(tmpdir(), 'component-resolver-browser-'))
  try {
    return await output(chromium, [...FLAGS, `--user-data-dir=${profile}`, '--dump-dom', url])
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

function output(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
    const [out, err] = [[], []]
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString())
      else reject(new Error(`${command} ended with ${code}:\n${Buffer.concat(err)}`))
    })
  })
}
