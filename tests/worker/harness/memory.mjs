/** The path at which a Worker of `withMemory` answers with the size of its Wasm memory in bytes. */
export const MEMORY_PATH = '/test/memory'

const SPY = `
const { Instance } = WebAssembly
const instances = []
WebAssembly.Instance = class extends Instance {
  constructor(...args) {
    super(...args)
    instances.push(this)
  }
}
export const size = () => instances.reduce((sum, { exports }) => sum + exports.memory.buffer.byteLength, 0)
`

const MAIN = `
import { size } from './spy.mjs'
import Resolver from './index.js'

export default class extends Resolver {
  fetch(request) {
    return new URL(request.url).pathname === '${MEMORY_PATH}' ? new Response(String(size())) : super.fetch(request)
  }
}
`

/** The modules of the Worker under an entry that also answers with the size of its Wasm memory. */
export const withMemory = (modules) => [
  { name: 'main.mjs', source: MAIN },
  { name: 'spy.mjs', source: SPY },
  ...modules,
]
