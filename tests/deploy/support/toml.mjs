/** Inserts a snippet of a page into wrangler.toml, as a reader of the page would. */
export function merged(config, snippet) {
  const blocks = snippet.split(/^(?=\[)/m).map((block) => `${block.trimEnd()}\n`)
  return blocks.reduce(mergedBlock, config)
}

function mergedBlock(config, block) {
  const [header, first] = block.split('\n')
  // One of several tables of this name: the binding tells which.
  const same = config.split(/^(?=\[)/m).find((one) => one.startsWith(`${header}\n${first}\n`))
  if (header.startsWith('[[')) return same ? config.replace(same, `${block}\n`) : `${config}\n${block}`
  if (!config.includes(`\n${header}\n`)) return `${config}\n${block}`
  return config.replace(`\n${header}\n`, `\n${block}`)
}
