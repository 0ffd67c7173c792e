import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { Ajv2020 } from 'ajv/dist/2020.js'

const FOLDER = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../docs/schemas')

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
const names = readdirSync(FOLDER).map((file) => path.basename(file, '.json'))
for (const name of names) {
  ajv.addSchema(JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')), `${name}.json`)
}

/** The commands that have a schema, as they are typed. */
export const COMMANDS = names
  .filter((name) => !['common', 'envelope'].includes(name))
  .map((name) => name.replace('-', ' '))

/** Throws if the output of a command with `--json` does not have the shape that its schema describes. */
export function checkShape(output) {
  const name = output.command?.replace(' ', '-') ?? 'envelope'
  const validate = ajv.getSchema(`${name}.json`)
  if (!validate) throw new Error(`docs/schemas/${name}.json is missing`)
  if (validate(output)) return
  const errors = validate.errors?.map(({ instancePath, message, params }) => {
    return `${instancePath || '/'}: ${message} ${JSON.stringify(params)}`
  })
  throw new Error(`slotctl ${output.command} --json differs from docs/schemas/${name}.json:\n${errors?.join('\n')}`)
}
