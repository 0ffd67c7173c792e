import { parse } from 'yaml'

/**
 * Runs an ensemble for a user as far as components go: each agent gets its own, and
 * the run's log says which arm that was.
 *
 * The one line that is new to Conductor: the resolver knows who asks, so that the
 * user's version is the same in every run.
 */
export async function run(yaml, env, user) {
  const { ensemble, agents } = parse(yaml)
  const kv = user === undefined ? env.COMPONENTS : await env.COMPONENTS.forCaller({ key: user })
  const steps = await Promise.all(
    agents.map(async ({ name, component }) => {
      const { value, metadata } = await kv.getWithMetadata(component)
      if (value === null) throw new Error(`Component not found: ${component}`)
      const { version, slot, assignment, digest } = metadata
      return { agent: name, component, version, slot, assignment, digest, content: value }
    }),
  )
  return { ensemble, user, steps }
}
