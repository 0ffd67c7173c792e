/** The beginning of the line that the limiter writes for each count. */
export const LIMITER = 'counted '

const SOURCE = `import { WorkerEntrypoint } from 'cloudflare:workers'

const counts = new Map()

export default class extends WorkerEntrypoint {
  async limit({ key }) {
    console.log('${LIMITER}' + key)
    const { LIMIT } = this.env
    if (LIMIT === 'throws') throw new Error('the limiter failed')
    if (LIMIT === 'hangs') return scheduler.wait(60_000)
    if (LIMIT === 'answers otherwise') return 'yes'
    counts.set(key, (counts.get(key) ?? 0) + 1)
    return { success: counts.get(key) <= Number(LIMIT) }
  }
}
`

/**
 * The options of a Worker with the binding `RATE_LIMITER`: each key has a number of calls for ever, or
 * the limiter `throws`, `hangs` or `answers otherwise`.
 *
 * @param {number | string} limit
 */
export const limiterBinding = (limit) => ({
  services: [
    {
      name: 'limiter',
      modules: [{ name: 'limiter.mjs', source: SOURCE }],
      bindings: [`(name = "LIMIT", text = "${limit}")`],
    },
  ],
  bindings: ['(name = "RATE_LIMITER", service = "limiter")'],
})
