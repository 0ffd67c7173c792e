// The JavaScript client with the cases that all clients share.
import { describe } from 'node:test'

import { createClient } from '../../client/index.js'
import { testCases } from './cases.mjs'

const said = ({ message, status, code, retryAfter }) => ({ message, status, code, retryAfter })

const outcomeOf = ({ unavailable, ...answer }) => ({
  ...answer,
  ...(answer.text && { text: answer.text() }),
  ...(unavailable && { unavailable: { seconds: unavailable.seconds, error: said(unavailable.error) } }),
})

let client

/** @type {import('./cases.mjs').Player} */
const player = {
  async create(url, options) {
    try {
      client = createClient(url, options)
      return {}
    } catch (error) {
      return { refused: error.message }
    }
  },
  async call(/** @type {any} */ { get, resolve, forRequest, ...options }) {
    const { headers, ...rest } = forRequest ?? {}
    const own = forRequest ? client.forRequest({ headers: new Headers(headers) }, rest) : client
    try {
      if (get) return { component: outcomeOf(await own.get(get, options)) }
      return { snapshot: outcomeOf(await own.resolve(resolve, options)) }
    } catch (error) {
      return { error: said(error) }
    }
  },
}

describe('the cases of all clients', () => testCases(() => player))
