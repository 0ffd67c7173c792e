// Compiled, never run: what `tsc` accepts here is what the declaration promises.
import type { ComponentMetadata, ComponentReader, ComponentResolver } from '../../types/index.js'

/** The read half of Workers' own type. */
type ReadHalf = Pick<KVNamespace, 'get' | 'getWithMetadata' | 'list'>

declare const resolver: ComponentResolver
declare const bound: ComponentReader

// A resolver, and one that is bound to a caller, stand in where a namespace is read.
export const asNamespace: ReadHalf = resolver
export const boundAsNamespace: ReadHalf = bound
export const awaited: Promise<ReadHalf> = resolver.forCaller({ key: 'ada', segments: ['beta'] })
export const pipelined: ReadHalf = resolver.forCaller({ key: 'ada' })

/** Conductor's own signature asks for a whole namespace: writes are there, and throw. */
declare function createComponentLoader(options: { kv: KVNamespace }): unknown
createComponentLoader({ kv: resolver })
export const refused: Promise<never> = resolver.put('a/b@c', 'x')

export async function values(): Promise<void> {
  const text: string | null = await resolver.get('prompts/extraction@production')
  const json: { model: string } | null = await resolver.get<{ model: string }>('configs/app@^1', 'json')
  const many: Map<string, string | null> = await resolver.get(['a/b@c', 'a/b@d'])
  const { value, metadata } = await resolver.getWithMetadata('prompts/extraction@production')
  const arm: ComponentMetadata['assignment'] = metadata?.assignment
  const listed = await resolver.list({ prefix: 'prompts/' })
  const next: string | undefined = listed.list_complete ? undefined : listed.cursor
  await resolver.get('a/b@c', { type: 'text', caller: { key: 'ada' } })
  console.log(text, json, many, value, arm, next)
}

// And what it does not promise.
// @ts-expect-error: there is no such type of value.
void resolver.get('a/b@c', 'blob')
// @ts-expect-error: several keys at once are text or JSON.
void resolver.get(['a/b@c'], 'stream')
// @ts-expect-error: a caller's key is a string.
void resolver.forCaller({ key: 7 })
