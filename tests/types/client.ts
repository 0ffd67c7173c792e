// Compiled, never run: how the client is used.
import { createClient, ResolverError } from '../../client/index.js'

export async function used(request: Request): Promise<string> {
  const client = createClient('https://resolver.example', { token: 't', attempts: 2, caller: { segments: ['beta'] } })
  try {
    const component = await client.forRequest(request).get('prompts/extraction@production')
    if (component.unavailable) console.warn(component.unavailable.seconds, component.unavailable.error.message)
    const { resolved } = await client.resolve(['a/b@c'], { content: true, caller: { key: 'run-1' } })
    const config = (await client.get('configs/app@^1')).json<{ model: string }>()
    return component.text() + config.model + (resolved[0]?.content ?? '')
  } catch (error) {
    if (error instanceof ResolverError) return error.code
    throw error
  }
}

// @ts-expect-error: a caller's groups are a list.
createClient('https://resolver.example', { caller: { segments: 'beta' } })

/** Optional members of another type pass through, also under `exactOptionalPropertyTypes`. */
export const passedOn = (session: { user?: string }) =>
  createClient('https://resolver.example/base', { caller: { key: session.user } })
