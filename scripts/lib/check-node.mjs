// Imported first by every script. It uses only what an old Node supports, so that the user
// sees this message and not a syntax error.
const NEEDED = 20

const major = Number(process.versions.node.split('.')[0])
if (major < NEEDED) {
  console.error(
    `Node ${process.versions.node} is too old: install Node ${NEEDED} or later from https://nodejs.org, then run this again.`,
  )
  process.exit(1)
}
