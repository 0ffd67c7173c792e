/** wrangler.toml with a page's snippet in it, as somebody who follows the page would write it. */
export function merged(config, snippet) {
  const blocks = snippet.split(/^(?=\[)/m).map((block) => `${block.trimEnd()}\n`)
  return blocks.reduce(mergedBlock, config)
}

function mergedBlock(config, block) {
  const [header, first] = block.split('\n')
  // One of several tables of this name, which its binding tells apart.
  const same = config.split(/^(?=\[)/m).find((one) => one.startsWith(`${header}\n${first}\n`))
  if (header.startsWith('[[')) return same ? config.replace(same, `${block}\n`) : `${config}\n${block}`
  if (!config.includes(`\n${header}\n`)) return `${config}\n${block}`
  return config.replace(`\n${header}\n`, `\n${block}`)
}
