import type { OptionDescription, OptionDescriptions, ProgramDescription } from '../command-description.ts'

/** The completion of a program for bash 3.2 and newer. */
export function bashCompletion({ name, options, commands }: ProgramDescription): string {
  const branches = commands.map(command => {
    const words = [...(command.argument?.choices ?? []), ...flagsOf(command.options)]
    return branch(command.name, command.options, words)
  })
  const own = branch("''", options, [...commands.map(command => command.name), ...flagsOf(options)])
  const identifier = `_${name.replaceAll('-', '_')}`
  return `# bash completion for ${name}
${identifier}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word
  # bash makes a separate word of the = in --option=value.
  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${commands.map(command => command.name).join('|')}) command=$word; break ;;
    esac
  done
  COMPREPLY=()
  case $command in
${[...branches, own].join('\n')}
  esac
}
complete -F ${identifier} ${name}
`
}

function branch(pattern: string, options: OptionDescriptions, words: readonly string[]): string {
  const values = Object.entries(options).flatMap(([name, option]) => valueBranch(name, option))
  return `    ${pattern})
      case $previous in
${[...values, `        *) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")) ;;`].join('\n')}
      esac
      ;;`
}

/** Anything is a value of an option without choices, so nothing is proposed. */
function valueBranch(name: string, { type, value, choices }: OptionDescription): string[] {
  if (type === 'boolean') return []
  if (choices !== undefined)
    return [`        --${name}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")) ;;`]
  if (value !== 'FILE') return [`        --${name}) ;;`]
  return [
    `        --${name}) compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")) ;;`,
  ]
}

function flagsOf(options: OptionDescriptions): readonly string[] {
  return Object.keys(options).map(name => `--${name}`)
}
