import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WrongArguments } from '../explain/wrong-arguments.ts'

export const usage = `Usage: terraform-credentials-dex [--hosts=FILE] [--config=FILE] [--log-file=FILE] get HOST
       terraform-credentials-dex store HOST | forget HOST | --help | --version

Gives OpenTofu and Terraform a Dex token for the hosts that a file lists. They run it as their credentials helper:

  credentials_helper "dex" {
    args = ["--config=~/.config/dex-token-broker/broker.yaml"]
  }

  get HOST         print {"token": "..."} for a listed host, and {} for any other
  store HOST       fail: tokens come from Dex and are not stored
  forget HOST      succeed: nothing is stored
  --hosts=FILE     the hosts and the client of each. Default: terraform.yaml in $XDG_CONFIG_HOME/dex-token-broker, or in
                   ~/.config/dex-token-broker
  --config=FILE    the configuration file of dex-token-broker. Default: the one of CONFIG_FILE
  --log-file=FILE  append each failure of get to this file, because OpenTofu and Terraform show only "401 Unauthorized".
                   At a terminal, failures are also printed there

A path may begin with ~/. The environment has everything else, as for dex-token-broker; see dex-token-broker --help.
The helper ends after nine seconds at the latest. Exit codes: 0 done, 1 no token, 2 wrong arguments; a kill after nine seconds.
`

/** The verbs of the protocol. */
const verbs = ['get', 'store', 'forget'] as const
export type Verb = (typeof verbs)[number]

/** What a call asks for. */
export interface HelperArguments {
  readonly verb: Verb | 'help' | 'version'
  /** As given; empty without a verb of the protocol. */
  readonly host: string
  readonly hostsFile: string
  /** Wins over CONFIG_FILE. */
  readonly configFile: string | undefined
  readonly logFile: string | undefined
}

/** Reads the arguments: the options of the CLI configuration, then the verb and the host. Throws {@link WrongArguments}. */
export function helperArguments(args: readonly string[], env: NodeJS.ProcessEnv): HelperArguments {
  const { values, positionals } = parsed(args)
  const paths = {
    hostsFile: atHome(values.hosts) ?? join(configFolder(env), 'dex-token-broker', 'terraform.yaml'),
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

const options = {
  hosts: { type: 'string' },
  config: { type: 'string' },
  'log-file': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

function parsed(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    for (const name of ['hosts', 'config', 'log-file'] as const)
      if (values[name] === '') throw new WrongArguments(`--${name} needs a file`)
    return { values, positionals }
  } catch (error) {
    throw new WrongArguments((error as Error).message)
  }
}

/** No shell expands the arguments of the CLI configuration. */
function atHome(path: string | undefined): string | undefined {
  return path?.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}

function configFolder({ XDG_CONFIG_HOME: folder }: NodeJS.ProcessEnv): string {
  return folder ? folder : join(homedir(), '.config')
}
