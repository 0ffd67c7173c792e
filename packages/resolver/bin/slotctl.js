#!/usr/bin/env node
// Starts slotctl, which an optional package contains as an executable for each platform.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import process from 'node:process'

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

function executable() {
  const name = `@component-resolver/slotctl-${process.platform}-${process.arch}`
  const file = process.platform === 'win32' ? 'slotctl.exe' : 'slotctl'
  try {
    return createRequire(import.meta.url).resolve(`${name}/${file}`)
  } catch {
    process.stderr.write(`error: slotctl needs the package ${name}, which is not installed.
   hint: run npm install without --omit=optional. If there is no such package for this platform, build slotctl: cargo install --path crates/slotctl --locked
`)
    process.exit(1)
  }
}

const child = spawn(executable(), process.argv.slice(2), { stdio: 'inherit' })
// Ctrl-C reaches slotctl too, which prints what it leaves. This process waits for it.
for (const signal of SIGNALS) process.on(signal, () => signal === 'SIGINT' || child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`error: slotctl cannot be started: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
