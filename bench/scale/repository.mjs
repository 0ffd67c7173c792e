// Creates a repository of many components in seconds: commits by `git fast-import`, tag objects in
// one pack, and packed refs.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { deflateSync } from 'node:zlib'

const TYPES = ['prompts', 'configs', 'queries', 'schemas', 'templates', 'scripts', 'tools', 'agents']
const FIRST_SECOND = 1_700_000_000
const WHO = 'Ada <ada@example.com>'
const TAG = 4

/** The components' names: `prompts/c00000`, `configs/c00001`, ... */
const names = (count) =>
  Array.from({ length: count }, (_, number) => `${TYPES[number % TYPES.length]}/c${String(number).padStart(5, '0')}`)

/** About 1 KiB of unique text. */
function content(name, version) {
  const line = createHash('sha256').update(`${name} ${version}`).digest('hex')
  return `# ${name} ${version}\n\n${`${line}\n`.repeat(15)}`
}

/**
 * Creates a bare repository at `dir`: `components` with `versions` versions each, `together` of them
 * per commit, and for each component the slots `production` (the version before the last) and
 * `staging` (the last), set as edgit sets them.
 */
export async function makeRepository(dir, { components, versions, together }) {
  mkdirSync(dir, { recursive: true })
  const git = (...args) => execFileSync('git', ['-C', dir, ...args], { stdio: 'pipe', maxBuffer: 1 << 28 })
  git('init', '--quiet', '--bare', '--initial-branch=main')
  const marks = path.join(dir, 'bench-marks')
  const tagged = await importCommits(dir, marks, { all: names(components), versions, together })
  const commits = readMarks(marks)
  const tags = tagObjects(tagged, commits, versions)
  await writePack(dir, tags)
  const refs = tags.map(({ name, id, commit }) => `${id} refs/tags/${name}\n^${commit}\n`)
  const head = git('rev-parse', 'refs/heads/main').toString().trim()
  refs.push(`${head} refs/heads/main\n`)
  refs.sort((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1))
  writeFileSync(path.join(dir, 'packed-refs'), `# pack-refs with: peeled fully-peeled sorted \n${refs.join('')}`)
  return { tags: tags.length, commits: commits.length - 1, slots: components * 2, git }
}

async function importCommits(dir, marks, { all, versions, together }) {
  const git = spawn('git', ['-C', dir, 'fast-import', '--quiet', `--export-marks=${marks}`], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = once(git, 'exit')
  const tagged = []
  let mark = 0
  for (let version = 0; version < versions; version += 1) {
    for (let first = 0; first < all.length; first += together) {
      mark += 1
      const group = all.slice(first, first + together)
      const message = `Release ${group[0]} and others`
      const lines = [
        `commit refs/heads/main\nmark :${mark}\ncommitter ${WHO} ${FIRST_SECOND + mark} +0000\n`,
        `data ${message.length}\n${message}\n`,
      ]
      for (const name of group) {
        const text = content(name, `v1.${version}.0`)
        lines.push(`M 100644 inline ${name}.md\ndata ${Buffer.byteLength(text)}\n${text}\n`)
        tagged.push({ name, version, mark })
      }
      if (!git.stdin.write(lines.join(''))) await once(git.stdin, 'drain')
    }
  }
  git.stdin.end()
  const [code] = await ended
  if (code !== 0) throw new Error(`git fast-import exited with ${code}`)
  return tagged
}

/** The commit ids by mark. */
function readMarks(file) {
  const commits = []
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [mark, id] = line.slice(1).split(' ')
    commits[Number(mark)] = id
  }
  return commits
}

function tagObjects(tagged, commits, versions) {
  const tags = []
  for (const { name, version, mark } of tagged) {
    const commit = commits[mark]
    const release = tag({
      name: `components/${name}/v1.${version}.0`,
      kind: 'commit',
      object: commit,
      commit,
      time: mark,
    })
    tags.push(release)
    const slot = { [versions - 2]: 'production', [versions - 1]: 'staging' }[version]
    if (slot)
      tags.push(tag({ name: `components/${name}/${slot}`, kind: 'tag', object: release.id, commit, time: mark }))
  }
  return tags
}

/** A tag object. A slot's points to the tag of its version. */
export function tag({ name, kind, object, commit, time }) {
  const tagger = `${WHO} ${FIRST_SECOND + time} +0000`
  const body = Buffer.from(`object ${object}\ntype ${kind}\ntag ${name}\ntagger ${tagger}\n\nRelease it\n`)
  const id = createHash('sha1').update(`tag ${body.length}\0`).update(body).digest('hex')
  return { name, id, commit, body }
}

/** Writes a pack (gitformat-pack) of tag objects and lets Git index it. */
async function writePack(dir, tags) {
  const file = path.join(dir, 'bench-tags.pack')
  const out = createWriteStream(file)
  const sum = createHash('sha1')
  const write = async (bytes) => {
    sum.update(bytes)
    if (!out.write(bytes)) await once(out, 'drain')
  }
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(tags.length, 8)
  await write(head)
  for (const { body } of tags) await write(Buffer.concat([sizeOf(body.length), deflateSync(body, { level: 1 })]))
  out.end(sum.digest())
  await once(out, 'finish')
  execFileSync('git', ['-C', dir, 'index-pack', '--stdin'], {
    input: readFileSync(file),
    stdio: ['pipe', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  })
}

/** The type and size of an object in a pack: four bits, then seven per byte. */
function sizeOf(length) {
  const bytes = []
  let byte = (TAG << 4) | (length & 15)
  for (let rest = length >> 4; ; rest >>= 7) {
    bytes.push(rest > 0 ? byte | 0x80 : byte)
    if (rest === 0) return Buffer.from(bytes)
    byte = rest & 0x7f
  }
}
