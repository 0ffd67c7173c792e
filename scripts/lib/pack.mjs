import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { WORKER_OUTPUTS } from './build.mjs'
import { LICENCES, project, readManifest } from './manifest.mjs'
import { npmCommand } from './packages.mjs'
import { inRoot } from './paths.mjs'
import { executableOf, PLATFORMS, packageOf } from './platforms.mjs'
import { run } from './run.mjs'

/** @typedef {import('./platforms.mjs').Platform} Platform */
/** @typedef {Record<string, any>} Manifest */

/** Where the packages are put together, one folder each. Not in build/, all of which is uploaded. */
export const STAGE = inRoot('target', 'packages')

/** Where the packed packages are. */
export const TARBALLS = inRoot('target', 'tarballs')

/** npm shows LICENSE, which says that there are two. */
const LICENCE_FILES = ['LICENSE', ...LICENCES]

/** The package with the Worker, the client and the types. */
const RESOLVER = '@component-resolver/resolver'

/** The repository on GitHub, with which npm compares the provenance; undefined elsewhere. */
function repository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  return server && name ? { type: 'git', url: `git+${server}/${name}.git` } : undefined
}

/** Makes the folder of a package, with the licences and the manifest. @param {Manifest} manifest */
function stage(manifest) {
  const { version, license } = project()
  const folder = path.join(STAGE, manifest.name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const licence of LICENCE_FILES) cpSync(inRoot(licence), path.join(folder, licence))
  const { name, files, ...rest } = manifest
  writeManifest(folder, {
    name,
    version,
    license,
    repository: repository(),
    ...rest,
    files: [...files, ...LICENCE_FILES],
  })
  return folder
}

/** @param {string} folder @param {Manifest} manifest */
const writeManifest = (folder, manifest) =>
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)

/** Puts the package of one platform together. @param {Platform} platform @param {string} executable */
export function stageSlotctl(platform, executable) {
  const name = executableOf(platform)
  const description = `slotctl for ${platform.name}`
  const folder = stage({
    name: packageOf(platform),
    description,
    os: [platform.os],
    cpu: [platform.cpu],
    files: [name],
  })
  cpSync(executable, path.join(folder, name))
  chmodSync(path.join(folder, name), 0o755)
  cpSync(inRoot('packages', 'slotctl', 'README.md'), path.join(folder, 'README.md'))
  return folder
}

/** Puts the main package together: the Worker in build/, the client and the types. */
export function stageResolver() {
  const source = inRoot('packages', 'resolver')
  const { version } = project()
  const optionalDependencies = Object.fromEntries(PLATFORMS.map((platform) => [packageOf(platform), version]))
  const folder = stage({ ...readManifest(path.join(source, 'package.json')), optionalDependencies })
  for (const part of ['bin', 'README.md']) cpSync(path.join(source, part), path.join(folder, part), { recursive: true })
  for (const name of WORKER_OUTPUTS) cpSync(inRoot('build', name), path.join(folder, 'worker', name))
  cpSync(inRoot('client'), path.join(folder, 'client'), { recursive: true, filter: isNotManifest })
  cpSync(inRoot('types'), path.join(folder, 'types'), { recursive: true })
  return folder
}

/** @param {string} file */
const isNotManifest = (file) => path.basename(file) !== 'package.json'

/** Puts the package together that `npm create` runs. */
export function stageCreate() {
  const source = inRoot('packages', 'create-component-resolver')
  const { version, devDependencies } = project()
  const folder = stage(readManifest(path.join(source, 'package.json')))
  const parts = ['index.js', 'template', 'README.md']
  for (const part of parts) cpSync(path.join(source, part), path.join(folder, part), { recursive: true })
  const template = path.join(folder, 'template')
  const manifest = readManifest(path.join(template, 'package.json'))
  manifest.devDependencies = { [RESOLVER]: `^${version}`, wrangler: `^${devDependencies.wrangler}` }
  writeManifest(template, manifest)
  return folder
}

/** Packs the folders of packages. @param {string[]} folders @returns {Promise<string[]>} the files */
export async function packAll(folders) {
  rmSync(TARBALLS, { recursive: true, force: true })
  mkdirSync(TARBALLS, { recursive: true })
  const [npm, first] = npmCommand()
  await run(npm, [...first, 'pack', '--silent', '--pack-destination', TARBALLS, ...folders], { name: 'npm pack' })
  return readdirSync(TARBALLS).map((name) => path.join(TARBALLS, name))
}
