import { parseArgs } from 'node:util'
import { didYouMean } from '../nearest-name.ts'
import type { ArgumentDescription, OptionDescription, OptionDescriptions } from './command-description.ts'
import { WrongArguments } from './wrong-arguments.ts'

interface ParsedCommand<T extends OptionDescriptions> {
  readonly options: T
  readonly argument?: ArgumentDescription
}

/** The values of options, by their descriptions. */
export type OptionValues<T extends OptionDescriptions> = {
  readonly [Name in keyof T]:
    | ValueOf<T[Name]>
    | (T[Name] extends { readonly default: string } ? never : undefined)
}

type ValueOf<T extends OptionDescription> = T extends { readonly type: 'boolean' }
  ? boolean
  : T extends { readonly multiple: true }
    ? readonly string[]
    : string

/** The values of a command's arguments. Throws {@link WrongArguments} for arguments that its description does not have. */
export function parsedArguments<const T extends OptionDescriptions>(
  { options, argument }: ParsedCommand<T>,
  args: readonly string[],
): { readonly values: OptionValues<T>; readonly argument: string | undefined } {
  const { values, positionals } = parsed(options, args)
  for (const [name, { choices }] of Object.entries(options)) {
    const value = values[name]
    if (typeof value === 'string') assertChoice(`--${name}`, value, choices)
  }
  const [first, second] = positionals
  const unexpected = argument === undefined ? first : second
  if (unexpected !== undefined)
    throw new WrongArguments(`Unexpected argument '${JSON.stringify(unexpected).slice(1, -1)}'`)
  if (argument !== undefined && first !== undefined) assertChoice(argument.name, first, argument.choices)
  return { values: values as OptionValues<T>, argument: first }
}

function parsed(options: OptionDescriptions, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [, unknown] = /^Unknown option '--([^']*)'/.exec(message) ?? []
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new WrongArguments(message)
    // Node goes on about arguments that begin with a dash.
    const [sentence = message] = message.split('. ')
    throw new WrongArguments(sentence + (unknown === undefined ? '' : suggestion(unknown, options)))
  }
}

function suggestion(unknown: string, options: OptionDescriptions): string {
  return didYouMean(unknown, Object.keys(options)).replace(/"(.*)"/, '--$1')
}

function assertChoice(name: string, value: string, choices: readonly string[] | undefined): void {
  if (choices === undefined || choices.includes(value)) return
  throw new WrongArguments(`${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`)
}
