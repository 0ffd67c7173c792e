// Makes the npm packages, as they are published.
import './lib/check-node.mjs'
import path from 'node:path'

import { parseOptions } from './lib/args.mjs'
import { buildSlotctl, buildWorker, SLOTCTL } from './lib/build.mjs'
import { log, main, UserError } from './lib/cli.mjs'
import { buildFor } from './lib/cross.mjs'
import { packAll, stageCreate, stageResolver, stageSlotctl } from './lib/pack.mjs'
import { ROOT } from './lib/paths.mjs'
import { hostPlatform, PLATFORMS } from './lib/platforms.mjs'
import { setup } from './lib/setup.mjs'

/** @satisfies {import('./lib/args.mjs').Command} */
const COMMAND = {
  usage: 'npm run pack -- [--all]',
  about: 'Make the npm packages in target/tarballs: the resolver, slotctl for this machine, npm create',
  options: { all: { type: 'boolean', help: 'Also compile slotctl for all platforms, as for a release' } },
}

/** The package of slotctl for this machine, from the executable that the tests use. */
async function forThisMachine() {
  const platform = hostPlatform()
  if (!platform) throw new UserError(`There is no package of slotctl for ${process.platform}-${process.arch}.`)
  await buildSlotctl()
  return [stageSlotctl(platform, SLOTCTL)]
}

/** The packages of slotctl for all platforms. On Linux the executable is static. */
async function forAll() {
  const folders = []
  for (const platform of PLATFORMS) folders.push(stageSlotctl(platform, await buildFor(platform)))
  return folders
}

await main(async () => {
  const { all } = parseOptions(COMMAND)
  await buildWorker(await setup())
  const executables = all ? await forAll() : await forThisMachine()
  const files = await packAll([stageResolver(), stageCreate(), ...executables])
  for (const file of files) log(`    ${path.relative(ROOT, file)}`)
})
