/**
 * A platform that has a package with the executable of slotctl.
 *
 * @typedef {object} Platform
 * @property {string} name of Node: `process.platform` and `process.arch`
 * @property {string} target of Rust
 * @property {string} os as npm calls it
 * @property {string} cpu as npm calls it
 */

/** @type {Platform[]} */
export const PLATFORMS = [
  // Static: it runs on every distribution, also on Alpine and in an empty container.
  { name: 'linux-x64', target: 'x86_64-unknown-linux-musl', os: 'linux', cpu: 'x64' },
  { name: 'linux-arm64', target: 'aarch64-unknown-linux-musl', os: 'linux', cpu: 'arm64' },
  { name: 'darwin-arm64', target: 'aarch64-apple-darwin', os: 'darwin', cpu: 'arm64' },
  { name: 'darwin-x64', target: 'x86_64-apple-darwin', os: 'darwin', cpu: 'x64' },
  { name: 'win32-x64', target: 'x86_64-pc-windows-gnu', os: 'win32', cpu: 'x64' },
]

/** The platform that this script runs on; undefined if there is no package for it. */
export const hostPlatform = () => PLATFORMS.find(({ name }) => name === `${process.platform}-${process.arch}`)

/** @param {Platform} platform */
export const executableOf = ({ os }) => (os === 'win32' ? 'slotctl.exe' : 'slotctl')

/** @param {Platform} platform */
export const packageOf = ({ name }) => `@component-resolver/slotctl-${name}`
