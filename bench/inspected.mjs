import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { builtModules, writeConfig } from '../tests/worker/harness/config.mjs'
import { startKvServer } from '../tests/worker/harness/kv-server.mjs'

const workerd = createRequire(import.meta.url)('workerd').default
const MIB = 1024 * 1024
const WASM_PATH = '/bench/wasm-memory'

// The built Worker, which also reports the size of its Wasm memory.
const WRAPPER = [
  {
    name: 'bench.js',
    source: `import './watch.js'
import Resolver from './index.js'
export default class extends Resolver {
  async fetch(request) {
    if (!request.url.endsWith('${WASM_PATH}')) return super.fetch(request)
    // The second time collects what only a finaliser still held.
    for (let time = 0; time < 2; time += 1) gc()
    return Response.json(globalThis.watched.map(({ buffer }) => buffer.byteLength))
  }
}`,
  },
  {
    name: 'watch.js',
    source: `globalThis.watched = []
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, args) {
    const instance = new Instance(...args)
    globalThis.watched.push(instance.exports.memory)
    return instance
  },
})`,
  },
]

/**
 * Starts the built Worker with an inspector and without its log: `{ url, pid, kv, heap(), stop() }`.
 * `heap()` is the memory of the isolate after a garbage collection, in MiB: V8's `objects` and
 * `buffers`, which hold contents, and `wasm`, which holds records.
 */
export async function startInspected(vars) {
  const kv = await startKvServer({ SLOTS: new Map(), COMPONENTS: new Map() })
  const folder = mkdtempSync(path.join(tmpdir(), 'component-resolver-bench-'))
  const scriptVersion = { id: 'bench', tag: '', timestamp: '' }
  const modules = [...WRAPPER, ...builtModules()]
  const config = writeConfig(folder, {
    kv,
    vars,
    scriptVersion,
    modules,
    compatibilityFlags: [],
    v8Flags: ['--expose-gc'],
  })
  const args = ['serve', '--experimental', '--control-fd=3', '--inspector-addr=127.0.0.1:0', config]
  const child = spawn(workerd, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  const { inspector, http } = await ports(child)
  const stop = async () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
    await kv.stop()
  }
  const url = `http://127.0.0.1:${http}`
  const held = async () => {
    const wasm = await collected(url)
    return { ...(await heap(inspector)), wasm }
  }
  return { url, pid: child.pid, kv, heap: held, stop }
}

function ports(child) {
  const found = {}
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`workerd ended with ${code}`)))
    createInterface(child.stdio[3]).on('line', (line) => {
      const { event, port } = JSON.parse(line)
      found[event === 'listen-inspector' ? 'inspector' : 'http'] = port
      if (found.inspector && found.http) resolve(found)
    })
  })
}

/** The size of the Wasm memory in MiB, after a garbage collection. */
async function collected(url) {
  const [bytes] = /** @type {number[]} */ (await (await fetch(url + WASM_PATH)).json())
  return bytes / MIB
}

async function heap(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/main`)
  const said = new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }))
    socket.onerror = () => reject(new Error('the inspector does not answer'))
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data)
      if (id === 1) resolve(result)
    }
  })
  const { usedSize, backingStorageSize } = await said
  socket.close()
  return { objects: usedSize / MIB, buffers: backingStorageSize / MIB }
}
