import type {
  CommandDescription,
  OptionDescription,
  OptionDescriptions,
  ProgramDescription,
} from '../command-description.ts'

/** The completion of a program for zsh, as a file of `fpath` or by `eval`. */
export function zshCompletion({ name, options, commands }: ProgramDescription): string {
  const identifier = `_${name.replaceAll('-', '_')}`
  const list = commands.map(command => quoted(`${command.name.replaceAll(':', '\\:')}:${command.summary}`))
  return `#compdef ${name}
${identifier}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
    ${list.join('\n    ')}
  )
  _arguments -C ${specsOf(options).join(' ')} '1: :->command' '*:: :->arguments' && return
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
${commands.map(branch).join('\n')}
      esac
      ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${identifier} "$@"
else
  compdef ${identifier} ${name}
fi
`
}

function branch({ name, argument, options }: CommandDescription): string {
  const values = argument === undefined ? [] : [quoted(`1:${argument.name}:(${argument.choices.join(' ')})`)]
  return `        ${name}) _arguments ${[...specsOf(options), ...values].join(' ')} ;;`
}

function specsOf(options: OptionDescriptions): readonly string[] {
  return Object.entries(options).map(([name, option]) => quoted(specOf(name, option)))
}

function specOf(name: string, { type, multiple, text, value = 'VALUE', choices }: OptionDescription): string {
  const start = `${multiple ? '*' : ''}--${name}`
  const explained = `[${text.replaceAll(/[\\:[\]]/g, '\\$&')}]`
  if (type === 'boolean') return start + explained
  const completed = choices === undefined ? (value === 'FILE' ? '_files' : ' ') : `(${choices.join(' ')})`
  return `${start}=${explained}:${value.replaceAll(':', '\\:')}:${completed}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
