import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import workerd from 'workerd'

const START_MS = 10_000
/** How much of the output is kept, in bytes. */
const OUTPUT_BYTES = 8 * 1024 * 1024

/** @type {Set<Workerd>} */
const running = new Set()

/** A workerd process. `started()` resolves to the URL of each of its sockets. */
export class Workerd {
  #process
  /** @type {Buffer[]} */
  #chunks = []
  #length = 0

  /** @param {string} config the path of the configuration */
  constructor(config) {
    /** When the process was started, in milliseconds. */
    this.began = performance.now()
    const args = ['serve', '--experimental', '--control-fd=3', config]
    this.#process = spawn(workerd.default, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk) => this.#keep(chunk))
    }
    this.ended = new Promise((resolve) => {
      for (const event of ['exit', 'error']) this.#process.once(event, resolve)
    })
    running.add(this)
  }

  get pid() {
    return this.#process.pid
  }

  /** @param {Buffer} chunk */
  #keep(chunk) {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    while (this.#length > OUTPUT_BYTES) this.#length -= this.#chunks.shift()?.length ?? 0
  }

  /** The output of workerd and of its Workers so far. */
  get output() {
    return Buffer.concat(this.#chunks).toString()
  }

  async started(sockets = ['http']) {
    try {
      const urls = await this.#listening(new Set(sockets))
      this.#unref()
      return urls
    } catch (error) {
      await this.stop()
      throw new Error(`workerd did not start: ${error instanceof Error ? error.message : error}\n${this.output}`)
    }
  }

  /**
   * The ports, which workerd reports on its control channel.
   *
   * @param {Set<string>} awaited names of sockets @returns {Promise<Record<string, string>>}
   */
  #listening(awaited) {
    /** @type {Record<string, string>} */
    const urls = {}
    const control = /** @type {import('node:stream').Readable} */ (this.#process.stdio[3])
    return new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('it reported no ports')), START_MS).unref()
      this.#process.once('error', reject)
      this.#process.once('exit', (code) => reject(new Error(`it ended with exit code ${code}`)))
      createInterface(control).on('line', (line) => {
        const { event, socket, port } = JSON.parse(line)
        if (event !== 'listen') return
        urls[socket] = `http://127.0.0.1:${port}`
        awaited.delete(socket)
        if (awaited.size === 0) resolve(urls)
      })
    })
  }

  // A script that fails before it stops its workerd must still end.
  #unref() {
    const { stdout, stderr, stdio } = this.#process
    // At runtime, pipes of a child are sockets.
    const pipes = /** @type {import('node:net').Socket[]} */ ([stdout, stderr, stdio[3]])
    for (const handle of [this.#process, ...pipes]) handle.unref()
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

// workerd ends together with the script that started it.

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
