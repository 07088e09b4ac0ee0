import { wrapWords } from '../config/wrap-words.ts'
import type { CommandDescription, OptionDescription, OptionDescriptions } from './command-description.ts'

const width = 110

/** The text of `PROGRAM COMMAND --help`; ends with a line break. */
export function commandHelp(program: string, command: CommandDescription): string {
  const { name, introduction, argument, options, notes = [] } = command
  const words = [
    ...(argument === undefined ? [] : [`(${argument.choices.join(' | ')})`]),
    ...usageOf(options),
  ]
  const start = `Usage: ${program} ${name} `
  const usage = wrapWords(words, width - start.length).join(`\n${' '.repeat(start.length)}`)
  return `${[start + usage, ...introduction.map(paragraph), optionTable(options), ...notes].join('\n\n')}\n`
}

/** The usage of a program's options: `[--json] [--client NAME]`. */
export function usageOf(options: OptionDescriptions): readonly string[] {
  return Object.entries(options)
    .filter(([name]) => name !== 'help')
    .map(([name, option]) => `[${spelling(name, option)}]${option.multiple ? '...' : ''}`)
}

/** A line or more for each option, with its text in the second column. */
export function optionTable(options: OptionDescriptions): string {
  return table(
    Object.entries(options).map(([name, option]) => [
      (option.short === undefined ? '' : `-${option.short}, `) + spelling(name, option),
      textOf(option),
    ]),
  )
}

/** Two columns, wrapped, with two spaces before the first. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const column = Math.max(...rows.map(([first]) => first.length)) + 4
  return rows
    .flatMap(([first, second]) =>
      wrapWords(second.split(' '), width - column).map(
        (line, index) => (index === 0 ? `  ${first}` : '').padEnd(column) + line,
      ),
    )
    .join('\n')
}

/** Wraps a paragraph. */
export function paragraph(text: string): string {
  return wrapWords(text.split(' '), width).join('\n')
}

function spelling(name: string, { type, value = 'VALUE' }: OptionDescription): string {
  return type === 'boolean' ? `--${name}` : `--${name} ${value}`
}

function textOf(option: OptionDescription): string {
  const { text, choices, multiple, default: fallback } = option
  return [
    text + (choices === undefined ? '' : `: ${choices.join(', ')}`),
    multiple ? '; may be repeated' : '',
    fallback === undefined ? '' : `. Default: ${fallback}`,
  ].join('')
}
