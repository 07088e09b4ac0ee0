import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { helpOption, type OptionDescriptions } from '../command-line/command-description.ts'
import { optionTable, paragraph, table } from '../command-line/command-help.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import { userFolder } from '../token/cache/user-folder.ts'

const options = {
  config: {
    type: 'string',
    value: 'FILE',
    text: 'the configuration file of dex-token-broker. Default: the one of CONFIG_FILE',
  },
  hosts: {
    type: 'string',
    value: 'FILE',
    text: 'the hosts, and the client of each. Default: terraform.yaml in $XDG_CONFIG_HOME/dex-token-broker, or in ~/.config/dex-token-broker',
  },
  'log-file': {
    type: 'string',
    value: 'FILE',
    text: 'append failures to this file, because OpenTofu and Terraform show only "401 Unauthorized"',
  },
  version: { type: 'boolean', short: 'v', text: 'print the version' },
  ...helpOption,
} as const satisfies OptionDescriptions

/** The text of --help. */
export function helperHelp(): string {
  const rows = [
    ['get HOST', 'print {"token": "..."} for a listed host, and {} for any other'],
    ['store HOST', 'fail: tokens come from Dex and are not stored'],
    ['forget HOST', 'do nothing: nothing is stored'],
  ] as const
  const introduction =
    'Gives OpenTofu and Terraform a token of Dex for the hosts in a file. They run this program when their CLI configuration has a block credentials_helper "dex". The args of the block are the options, and paths in them may begin with ~/. The environment has everything else, as for dex-token-broker.'
  const notes =
    'At a terminal, failures of get are printed there, too. The program ends within ten seconds, whatever hangs. It has the exit statuses of dex-token-broker token.'
  return `${[
    'Usage: terraform-credentials-dex [OPTION]... get HOST | store HOST | forget HOST',
    paragraph(introduction),
    table(rows),
    optionTable(options),
    paragraph(notes),
  ].join('\n\n')}\n`
}

/** The verbs of the protocol. */
const verbs = ['get', 'store', 'forget'] as const
export type Verb = (typeof verbs)[number]

/** The arguments of a call. */
export interface HelperArguments {
  readonly verb: Verb | 'help' | 'version'
  /** As given; empty without a verb of the protocol. */
  readonly host: string
  readonly hostsFile: string
  /** Overrides CONFIG_FILE. */
  readonly configFile: string | undefined
  readonly logFile: string | undefined
}

/** Reads the arguments: the options of the CLI configuration, then the verb and the host. Throws {@link WrongArguments}. */
export function helperArguments(args: readonly string[], env: NodeJS.ProcessEnv): HelperArguments {
  const { values, positionals } = parsed(args)
  const paths = {
    hostsFile: atHome(values.hosts) ?? join(userFolder(env, 'config'), 'terraform.yaml'),
    configFile: atHome(values.config),
    logFile: atHome(values['log-file']),
  }
  if (values.help) return { verb: 'help', host: '', ...paths }
  if (values.version) return { verb: 'version', host: '', ...paths }
  const [given, host, ...others] = positionals
  if (given === undefined)
    throw new WrongArguments('OpenTofu and Terraform run this program; it needs a verb and a host')
  const verb = verbs.find(each => each === given)
  // The protocol may get more of them.
  if (verb === undefined)
    throw new WrongArguments(`does not support ${JSON.stringify(given)}, only ${verbs.join(', ')}`)
  if (!host || others.length > 0) throw new WrongArguments(`${verb} needs one host`)
  return { verb, host, ...paths }
}

/** The value of --log-file, also in arguments that are wrong otherwise. */
export function logFileIn(args: readonly string[]): string | undefined {
  const { values } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false })
  const file = values['log-file']
  return typeof file === 'string' ? atHome(file) : undefined
}

function parsed(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    for (const name of ['hosts', 'config', 'log-file'] as const)
      if (values[name] === '') throw new WrongArguments(`--${name} needs a file`)
    return { values, positionals }
  } catch (error) {
    // Node goes on about arguments that begin with a dash.
    throw new WrongArguments((error as Error).message.split('. ')[0])
  }
}

/** No shell expands the arguments of the CLI configuration. */
function atHome(path: string | undefined): string | undefined {
  return path?.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}
