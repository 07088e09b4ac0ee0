import { variableGroups } from './schema/variable-groups.ts'
import { wrapWords } from './wrap-words.ts'

const width = 100
const introduction =
  'An empty variable counts as unset. Durations are written as in Go: 500ms, 5s, 1m30s, 1.5h.'

/** The part of `--help` about the environment: every variable by group, at most 100 columns wide, no final line break. */
export function helpText(): string {
  const groups = variableGroups()
  const names = groups.flatMap(({ variables }) => variables.map(({ name }) => name))
  const column = Math.max(...names.map(name => name.length)) + 4
  const blocks = groups.map(({ title, variables }) => {
    const lines = variables.flatMap(({ name, description, defaultText }) => {
      const words = description.split(' ')
      // One word, so that no line ends with "Default:".
      if (defaultText !== undefined) words.push(`Default: ${defaultText}`)
      return wrapWords(words, width - column).map(
        (line, index) => `${(index === 0 ? `  ${name}` : '').padEnd(column)}${line}`,
      )
    })
    return [`${title}:`, ...lines].join('\n')
  })
  return [`Environment variables:\n${introduction}`, ...blocks].join('\n\n')
}
