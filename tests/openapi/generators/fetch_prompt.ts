// Reads a prompt with the types of openapi-typescript; prints what the test expects as JSON.
import createClient from 'openapi-fetch'
import type { paths } from './schema.js'

declare const process: { argv: string[] }

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' })
const component = (ref: string) =>
  client.GET('/components/{type}/{name}@{ref}', {
    params: { path: { type: 'prompts', name: 'extraction', ref } },
    parseAs: 'text',
  })

const prompt = await component('production')
const missing = await component('nowhere')
const snapshot = await client.POST('/resolve', { body: { refs: ['prompts/extraction@production'] } })
const described = await client.GET('/catalog/{type}/{name}', {
  params: { path: { type: 'prompts', name: 'extraction' } },
})
const [entry] = snapshot.data?.resolved ?? []
console.log(
  JSON.stringify({
    text: prompt.data,
    code: missing.error?.code,
    version: entry && 'version' in entry ? entry.version : undefined,
    versions: described.data?.versions.map(({ version }) => version),
  }),
)
