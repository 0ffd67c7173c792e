import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import workerd from 'workerd'

const START_MS = 10_000
/** Of what is said, so many of the last bytes are kept. */
const KEPT = 8 * 1024 * 1024

const running = new Set()

/** workerd with a configuration; `started()` resolves to the address of each of its sockets. */
export class Workerd {
  /** When its process was started, in milliseconds. */
  began
  #process
  #said = []
  #length = 0

  constructor(config) {
    this.began = performance.now()
    const args = ['serve', '--experimental', '--control-fd=3', config]
    this.#process = spawn(workerd.default, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (chunk) => this.#keep(chunk))
    }
    this.ended = new Promise((resolve) => {
      for (const event of ['exit', 'error']) this.#process.once(event, resolve)
    })
    running.add(this)
  }

  get pid() {
    return this.#process.pid
  }

  #keep(chunk) {
    this.#said.push(chunk)
    this.#length += chunk.length
    while (this.#length > KEPT) this.#length -= this.#said.shift().length
  }

  /** What its Workers logged and workerd said, so far. */
  get output() {
    return Buffer.concat(this.#said).toString()
  }

  async started(sockets = ['http']) {
    try {
      const urls = await this.#listening(new Set(sockets))
      this.#unref()
      return urls
    } catch (error) {
      await this.stop()
      throw new Error(`workerd did not start: ${error.message}\n${this.output}`)
    }
  }

  /** Which ports it took: it says so on its control channel. */
  #listening(awaited) {
    const urls = {}
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('no word from it')), START_MS).unref()
      this.#process.once('error', reject)
      this.#process.once('exit', (code) => reject(new Error(`it ended with exit code ${code}`)))
      createInterface(this.#process.stdio[3]).on('line', (line) => {
        const { event, socket, port } = JSON.parse(line)
        if (event !== 'listen') return
        urls[socket] = `http://127.0.0.1:${port}`
        awaited.delete(socket)
        if (awaited.size === 0) resolve(urls)
      })
    })
  }

  // A script that fails before it stops its workerd must still come to an end.
  #unref() {
    const { stdout, stderr, stdio } = this.#process
    for (const handle of [this.#process, stdout, stderr, stdio[3]]) handle.unref()
  }

  async stop() {
    running.delete(this)
    this.kill()
    if (this.#process.pid === undefined) return
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    this.#process.ref()
    await this.ended
  }

  kill() {
    this.#process.kill('SIGKILL')
  }
}

// No workerd outlives who started it.

process.on('exit', killRunning)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killRunning()
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  })
}

function killRunning() {
  for (const worker of running) worker.kill()
}
