// The loads and the comparisons. A comparison is the ratio of our CPU time to that of another
// variant under the same load, or to that of our own slot request; `limit` is its highest value.
import { ENSEMBLE } from './data.mjs'

const SLOT = '/components/prompts/extraction@production'
const keyed = (at) => ({ 'component-version-key': `caller-${at}` })

/** The requests by name. `headers` may be a function of the request's number. */
export const requests = (digest) => ({
  slot: { path: SLOT, status: 200 },
  revalidated: { path: SLOT, headers: { 'if-none-match': `"${digest}"` }, status: 304 },
  head: { method: 'HEAD', path: SLOT, status: 200 },
  split: { path: '/components/prompts/split@production', headers: keyed, status: 200 },
  large: { path: '/components/prompts/large@production', status: 200 },
  exact: { path: '/components/prompts/extraction@v1.0.0', status: 200 },
  ensemble: {
    method: 'POST',
    path: '/resolve',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refs: ENSEMBLE }),
    status: 200,
  },
})

/** Pairs of a variant and a load; `times` is how many of theirs one of ours replaces. */
export const COMPARISONS = [
  { what: 'slot, content in memory', ours: ['ours', 'slot'], theirs: ['pointer', 'slot'], limit: 0.95 },
  {
    what: 'the same, compared with hand-optimised JavaScript',
    ours: ['ours', 'slot'],
    theirs: ['optimised', 'slot'],
    limit: 1.05,
  },
  {
    what: 'the same, compared with hand-optimised JavaScript without a time-out',
    ours: ['ours', 'slot'],
    theirs: ['optimised-patient', 'slot'],
    limit: 1,
  },
  {
    what: 'the same, compared with one read of the content under the slot’s key',
    ours: ['ours', 'slot'],
    theirs: ['loader', 'slot'],
  },
  { what: 'slot with 300 KB', ours: ['ours', 'large'], theirs: ['pointer', 'large'], limit: 1.05 },
  {
    what: 'slot, content not in memory (two reads)',
    ours: ['ours-forgetful', 'slot'],
    theirs: ['pointer-forgetful', 'slot'],
    limit: 1,
  },
  {
    what: 'slot split in three by key, compared with our slot',
    ours: ['ours', 'split'],
    theirs: ['ours', 'slot'],
    limit: 1.1,
  },
  { what: '304, compared with our 200', ours: ['ours', 'revalidated'], theirs: ['ours', 'slot'], limit: 1 },
  { what: 'HEAD, compared with our GET', ours: ['ours', 'head'], theirs: ['ours', 'slot'], limit: 1 },
  {
    what: 'exact version in memory, compared with our slot',
    ours: ['ours', 'exact'],
    theirs: ['ours', 'slot'],
    limit: 0.6,
  },
  {
    what: 'get over a service binding, compared with two reads of a KV binding',
    ours: ['rpc', 'slot'],
    theirs: ['kv-caller', 'slot'],
    limit: 1.2,
  },
  {
    what: '/resolve of 20 references, compared with 20 slots',
    ours: ['ours', 'ensemble'],
    theirs: ['ours', 'slot'],
    times: 20,
    limit: 0.25,
  },
]
