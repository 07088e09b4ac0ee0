import type { ProgramDescription } from './command-description.ts'
import { optionTable, paragraph, table, usageOf } from './command-help.ts'

/** The text of `PROGRAM --help`; ends with a line break. */
export function programHelp({ name, introduction, options, commands }: ProgramDescription): string {
  const usage = `Usage: ${name} ${usageOf(options).join(' ')}\n       ${name} COMMAND [--help] [OPTION]...`
  const list = table(commands.map(({ name: command, summary }) => [command, summary]))
  return `${[usage, ...introduction.map(paragraph), optionTable(options), `Commands:\n${list}`].join('\n\n')}\n`
}
