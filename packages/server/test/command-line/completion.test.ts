import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { programNeed } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerProgram } from '../../src/command-line/broker-program.ts'
import { commandHelp } from '../../src/command-line/command-help.ts'
import { completionScript } from '../../src/command-line/completion/completion-script.ts'
import { exitStatus } from '../../src/command-line/exit-status.ts'
import { parsedArguments } from '../../src/command-line/parsed-arguments.ts'
import { WrongArguments } from '../../src/command-line/wrong-arguments.ts'
import { tokenCommand } from '../../src/token/token-command.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-completion-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (shell: string) => path.join(folder, `completion.${shell}`)
beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(file(shell), completionScript(brokerProgram, [shell]))
  writeFileSync(path.join(folder, 'a jwt.txt'), '')
})

/** The program with a shell, in the folder with a file. */
function run(shell: string, args: readonly string[], input = ''): string {
  return execFileSync(shell, args, { encoding: 'utf8', cwd: folder, input, timeout: 20_000 })
}

const linesOf = (text: string) => text.split(/\r?\n/).filter(line => line !== '')

describe('one description of the commands', () => {
  test.each(brokerProgram.commands.map(command => [command.name, command] as const))(
    'of %s has every option in its help, and the parser takes each of them',
    (_, command) => {
      const help = commandHelp('dex-token-broker', command)
      for (const [name, option] of Object.entries(command.options)) {
        expect(help).toMatch(new RegExp(`^ {2}(-\\w, )?--${name}\\b`, 'm'))
        const { type, choices } = { choices: ['x'], ...option }
        const given = type === 'boolean' ? `--${name}` : `--${name}=${choices[0]}`
        const { values } = parsedArguments(command, [given])
        expect(values).toHaveProperty(name)
      }
      expect(Math.max(...help.split('\n').map(line => line.length))).toBeLessThanOrEqual(110)
    },
  )
})

test('docs/command-line.md has every option and every exit status of the command token', () => {
  const page = readFileSync(new URL('../../../../docs/command-line.md', import.meta.url), 'utf8')
  for (const name of Object.keys(tokenCommand.options).filter(each => each !== 'help')) {
    expect(page).toMatch(new RegExp(`^\\| \`--${name}\\b`, 'm'))
  }
  for (const { code } of Object.values(exitStatus)) expect(page).toMatch(new RegExp(`^\\| ${code}\\b`, 'm'))
})

describe('completion', () => {
  test('names the shells when the shell is missing or unknown', () => {
    expect(() => completionScript(brokerProgram, [])).toThrow(
      new WrongArguments('name a shell: bash, zsh, fish'),
    )
    expect(() => completionScript(brokerProgram, ['tcsh'])).toThrow(
      'SHELL must be one of bash, zsh, fish, not "tcsh"',
    )
  })
})

describe('the completion for bash', needs(programNeed('bash')), () => {
  /** What bash proposes for the last word. */
  function proposals(...words: readonly string[]): readonly string[] {
    const script = `source ${file('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_dex_token_broker 2>&1
printf '%s\\n' "\${COMPREPLY[@]}"`
    return linesOf(run('bash', ['--norc', '-c', script, 'bash', 'dex-token-broker', ...words]))
  }

  test('proposes commands, options, values of options, and files', () => {
    expect(proposals('')).toEqual([
      'token',
      'doctor',
      'explain',
      'completion',
      '--help',
      '--version',
      '--check-config',
    ])
    expect(proposals('to')).toEqual(['token'])
    expect(proposals('token', '--h')).toEqual(['--header', '--help'])
    expect(proposals('doctor', '--env')).toEqual(['--envoy', '--envoy-config'])
    expect(proposals('token', '--format', 'k')).toEqual(['kubectl'])
    expect(proposals('token', '--format', '=', 'h')).toEqual(['header'])
    expect(proposals('token', '--format', '=')).toEqual(['token', 'header', 'json', 'kubectl'])
    expect(proposals('token', '--client', '')).toEqual([])
    expect(proposals('doctor', '--jwt-file', 'a')).toEqual(['a jwt.txt'])
    expect(proposals('completion', '')).toContain('fish')
  })
})

describe('the completion for zsh', needs(programNeed('zsh')), () => {
  test('proposes commands, options with their texts, and values', () => {
    // A terminal in a terminal: zsh completes only where a person types.
    const script = `zmodload zsh/zpty
zpty session zsh -f -i
zpty -w session 'precmd() { PS1="@$((++prompts))@" }; autoload -Uz compinit; compinit -u -d ${folder}/dump; source ${file('zsh')}; zstyle ":completion:*" list-prompt ""; LISTMAX=0; bindkey "^I" list-choices'
integer count=0
for typed in "dex-token-broker " "dex-token-broker token --he" "dex-token-broker token --format=" "dex-token-broker completion "; do
  # Keys that arrive before the prompt would not be seen by the completion.
  zpty -r -m session out "*@$((++count))@*"
  print -r -- "$out"
  zpty -w session "$typed"$'\\t\\C-u'
done
zpty -r -m session out "*@$((++count))@*"
print -r -- "$out"
zpty -d session`
    const shown = stripVTControlCharacters(run('zsh', ['-f', '-c', script]))
    for (const { name, summary } of brokerProgram.commands) {
      expect(shown).toMatch(new RegExp(`${name} +-- ${summary.slice(0, 20)}`))
    }
    expect(shown).toMatch(/--header +-- print the header for curl: Authorization/)
    expect(shown).toMatch(/\bheader\b.*\bjson\b.*\bkubectl\b/s)
    expect(shown).toMatch(/\bbash\b.*\bfish\b.*\bzsh\b/s)
  })
})

describe('the completion for fish', needs(programNeed('fish')), () => {
  /** What fish proposes for a line, without the texts. */
  function proposals(line: string): readonly string[] {
    const script = `source ${file('fish')}; complete -C ${JSON.stringify(line)}`
    return linesOf(run('fish', ['--no-config', '-c', script])).map(each => each.split('\t')[0] ?? '')
  }

  test('proposes commands, options, values of options, and files', () => {
    expect(proposals('dex-token-broker ')).toEqual(['completion', 'doctor', 'explain', 'token'])
    expect(proposals('dex-token-broker token --h')).toEqual(['--header', '--help'])
    expect(proposals('dex-token-broker token --format=')).toEqual([
      '--format=header',
      '--format=json',
      '--format=kubectl',
      '--format=token',
    ])
    expect(proposals('dex-token-broker token --client ')).toEqual([])
    expect(proposals('dex-token-broker doctor --jwt-file a')).toEqual(['a jwt.txt'])
    expect(proposals('dex-token-broker completion ')).toEqual(['bash', 'fish', 'zsh'])
  })
})
