import { parse } from 'yaml'

/**
 * Reads the component of each agent of an ensemble for a user, and returns the arms that
 * the user got for the log of the run.
 *
 * Only the call of `forCaller` is new compared with Conductor. It names the user, so that
 * the user gets the same version in every run.
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
