// What is measured, and against what. `limit` is what issue 7 asks of the ratio; the
// denominator is a variant under the same load, or our own slot hit.
import { ENSEMBLE } from './data.mjs'

const SLOT = '/components/prompts/extraction@production'
const keyed = (at) => ({ 'component-version-key': `caller-${at}` })

/** The requests, by name; `headers` may depend on the request's number. */
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

/** `[what, ours, variant under the same load | null, our load to compare with, factor, limit]` */
export const COMPARISONS = [
  { what: 'slot, content in memory', ours: ['ours', 'slot'], theirs: ['pointer', 'slot'], limit: 0.95 },
  {
    what: 'the same, against JavaScript optimised by hand',
    ours: ['ours', 'slot'],
    theirs: ['optimised', 'slot'],
    limit: 1.05,
  },
  {
    what: 'the same, against one read of the content at the slot’s key',
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
    what: 'slot with a split of three by key, against our slot',
    ours: ['ours', 'split'],
    theirs: ['ours', 'slot'],
    limit: 1.1,
  },
  { what: '304, against our 200', ours: ['ours', 'revalidated'], theirs: ['ours', 'slot'], limit: 1 },
  { what: 'HEAD, against our GET', ours: ['ours', 'head'], theirs: ['ours', 'slot'], limit: 1 },
  { what: 'exact version in memory, against our slot', ours: ['ours', 'exact'], theirs: ['ours', 'slot'], limit: 0.6 },
  {
    what: 'get over a service binding, against two reads of a KV binding',
    ours: ['rpc', 'slot'],
    theirs: ['kv-caller', 'slot'],
    limit: 1.2,
  },
  {
    what: '/resolve of 20 references, against 20 slots',
    ours: ['ours', 'ensemble'],
    theirs: ['ours', 'slot'],
    times: 20,
    limit: 0.25,
  },
]
