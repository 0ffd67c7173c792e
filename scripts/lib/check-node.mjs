// Imported first by every script. Uses nothing that an old Node lacks, so that
// it is this line that a person sees and not a syntax error.
const NEEDED = 20

const major = Number(process.versions.node.split('.')[0])
if (major < NEEDED) {
  console.error(
    `Node ${process.versions.node} is too old: install Node ${NEEDED} or later from https://nodejs.org, then run this again.`,
  )
  process.exit(1)
}
