import { execFileSync } from 'node:child_process'

/** The fenced blocks of a language in a page. */
export const fences = (page, language) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text)

/** The simple commands of shell blocks as lists of words, with variables expanded. */
export function commands(blocks, variables) {
  const lines = blocks.flatMap((block) => {
    execFileSync('bash', ['-n'], { input: block })
    return block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .flatMap((line) => line.split(' && '))
  })
  const simple = lines.map((line) => line.trim()).filter((line) => line && !/^(#|for |done$)/.test(line))
  return simple.map((line) => words(line, variables))
}

function words(line, variables) {
  const parts = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"]+)+/g)
  return parts.map((part) =>
    part.replace(/'([^']*)'|"([^"]*)"/g, '$1$2').replace(/\$(\w+)/g, (_, name) => {
      if (!(name in variables)) throw new Error(`$${name} is set nowhere before: ${line}`)
      return variables[name]
    }),
  )
}

/** The `--option`s of a command, without their values. */
export const options = (given) =>
  given.filter((word) => word.startsWith('--') && word !== '--').map((word) => word.split('=')[0])
