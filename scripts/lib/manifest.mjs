import { readFileSync } from 'node:fs'

import { inRoot } from './paths.mjs'

/** The licences that every published package contains. */
export const LICENCES = ['LICENSE-MIT', 'LICENSE-APACHE']

/** @param {string} file @returns {Record<string, any>} */
export const readManifest = (file) => JSON.parse(readFileSync(file, 'utf8'))

/** The manifest of this project, which has the version of all packages. */
export const project = () => readManifest(inRoot('package.json'))
