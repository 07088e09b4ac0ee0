import type { OptionDescriptions, ProgramDescription } from '../command-description.ts'

/** The completion of a program for fish. */
export function fishCompletion({ name, options, commands }: ProgramDescription): string {
  const names = commands.map(command => command.name).join(' ')
  const without = `not __fish_seen_subcommand_from ${names}`
  const lines = [
    // Files are proposed only for options that take one.
    `complete -c ${name} -f`,
    ...optionLines(name, without, options),
    ...commands.flatMap(command => {
      const seen = `__fish_seen_subcommand_from ${command.name}`
      return [
        `complete -c ${name} -n ${quoted(without)} -a ${command.name} -d ${quoted(command.summary)}`,
        ...optionLines(name, seen, command.options),
        ...(command.argument === undefined
          ? []
          : [`complete -c ${name} -n ${quoted(seen)} -a ${quoted(command.argument.choices.join(' '))}`]),
      ]
    }),
  ]
  return `# fish completion for ${name}\n${lines.join('\n')}\n`
}

function optionLines(program: string, condition: string, options: OptionDescriptions): readonly string[] {
  return Object.entries(options).map(([name, { type, short, value, choices, text }]) => {
    const parts = [`complete -c ${program} -n ${quoted(condition)}`]
    if (short !== undefined) parts.push(`-s ${short}`)
    parts.push(`-l ${name}`)
    if (type === 'string') parts.push(value === 'FILE' ? '-r -F' : '-x')
    if (choices !== undefined) parts.push(`-a ${quoted(choices.join(' '))}`)
    return [...parts, `-d ${quoted(text)}`].join(' ')
  })
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
