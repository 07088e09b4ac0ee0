import type { ProgramDescription } from '../command-description.ts'
import { commandHelp } from '../command-help.ts'
import { parsedArguments } from '../parsed-arguments.ts'
import { WrongArguments } from '../wrong-arguments.ts'
import { bashCompletion } from './bash-completion.ts'
import { completionCommand } from './completion-command.ts'
import { fishCompletion } from './fish-completion.ts'
import { zshCompletion } from './zsh-completion.ts'

type Shell = (typeof completionCommand.argument.choices)[number]

const scripts: Readonly<Record<Shell, (program: ProgramDescription) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** The output of the command `completion` of a program. Throws {@link WrongArguments}. */
export function completionScript(program: ProgramDescription, args: readonly string[]): string {
  const { values, argument: shell } = parsedArguments(completionCommand, args)
  if (values.help) return commandHelp(program.name, completionCommand)
  if (shell === undefined)
    throw new WrongArguments(`name a shell: ${completionCommand.argument.choices.join(', ')}`)
  return scripts[shell as Shell](program)
}
