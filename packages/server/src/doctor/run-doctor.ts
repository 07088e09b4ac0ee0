import { commandHelp } from '../command-line/command-help.ts'
import { type OptionValues, parsedArguments } from '../command-line/parsed-arguments.ts'
import { readArgumentFile } from '../command-line/read-argument-file.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import type { Config } from '../config/config.ts'
import type { ConfigFileReader } from '../config/file/config-file-reader.ts'
import { Refusal } from '../config/values/refusal.ts'
import { readSecretFile } from '../config/values/secret-text.ts'
import { printable } from '../printable.ts'
import { version } from '../version.ts'
import { CheckGroup, type FinishedGroup, finishedGroups } from './check-group.ts'
import { skipped } from './check-result.ts'
import { checkConfiguration } from './configuration.ts'
import { startChecks } from './doctor.ts'
import { doctorCommand } from './doctor-command.ts'
import { DoctorContext } from './doctor-context.ts'
import { groupText, summaryText } from './doctor-text.ts'
import { checkEnvoyConfig } from './envoy-config.ts'
import { type CallerCredentials, checkEnvoyRoute } from './envoy-route.ts'
import { checkJwt } from './jwt-rules.ts'
import { checkMatchingRule } from './matching-rule.ts'
import { checkSecretFiles } from './secret-files.ts'

/** Limit of a run. */
const totalMs = 30_000

/** The parts of the process that a run of the command needs. */
export interface DoctorProcess {
  readonly env: NodeJS.ProcessEnv
  /** Loads the reader of the configuration file; `undefined` without CONFIG_FILE. */
  fileReader(): Promise<ConfigFileReader | undefined>
  write(text: string): void
  readonly hasColours: boolean
}

/** Runs the command `doctor`; resolves with its exit status. Throws {@link WrongArguments}. */
export async function runDoctor(args: readonly string[], surroundings: DoctorProcess): Promise<number> {
  const { values } = parsedArguments(doctorCommand, args)
  if (values.help) {
    surroundings.write(commandHelp('dex-token-broker', doctorCommand))
    return 0
  }
  const inputs = await inputsOf(values)
  const source = { env: surroundings.env, reader: await surroundings.fileReader() }
  const found: { config?: Config | undefined } = {}
  const configuration = new CheckGroup('Configuration', async report => {
    checkSecretFiles(source, report)
    found.config = checkConfiguration(source, report)
    if (found.config === undefined) report(skipped('other checks', 'they need a valid configuration'))
  })
  await configuration.found
  const signal = AbortSignal.timeout(totalMs)
  const { config } = found
  if (config === undefined) return finish([configuration], { values, surroundings, signal })
  await using context = new DoctorContext(config, signal)
  const groups = [configuration, ...startChecks(context), ...inputGroups(context, inputs)]
  return await finish(groups, { values, surroundings, signal })
}

type Values = OptionValues<typeof doctorCommand.options>

interface Inputs {
  readonly jwt: string | undefined
  readonly envoyConfig: string | undefined
  readonly envoy: string | undefined
  readonly client: string | CallerCredentials | undefined
  readonly method: string
  readonly path: string
}

async function inputsOf(values: Values): Promise<Inputs> {
  const { envoy, method, path, 'jwt-file': jwtFile, 'envoy-config': envoyFile } = values
  if (envoy !== undefined && !/^https?:\/\//.test(URL.canParse(envoy) ? envoy : '')) {
    throw new WrongArguments('--envoy must be a URL with http or https')
  }
  const client = await clientOf(values)
  if (client !== undefined && envoy === undefined)
    throw new WrongArguments('--client and --client-id need --envoy')
  if (!path.startsWith('/')) throw new WrongArguments('--path must start with /')
  return {
    jwt:
      jwtFile === undefined
        ? undefined
        : (await readArgumentFile('--jwt-file', jwtFile)).trim().replace(/^Bearer +/i, ''),
    envoyConfig: envoyFile === undefined ? undefined : await readArgumentFile('--envoy-config', envoyFile),
    envoy,
    client,
    method,
    path,
  }
}

async function clientOf(values: Values): Promise<Inputs['client']> {
  const { client, 'client-id': clientId, 'client-secret-file': secretFile } = values
  if (clientId === undefined && secretFile === undefined) return client
  if (client !== undefined) throw new WrongArguments('--client and --client-id exclude each other')
  if (clientId === undefined || secretFile === undefined) {
    throw new WrongArguments('--client-id and --client-secret-file need each other')
  }
  return { clientId, clientSecret: await secretIn(secretFile) }
}

async function secretIn(path: string): Promise<string> {
  const text = await readArgumentFile('--client-secret-file', path)
  try {
    return readSecretFile(path, (_path, _maxBytes, parse) => parse(text))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new WrongArguments(`--client-secret-file: ${error.problems.join('; ')}`)
  }
}

/** The groups for what the arguments name. */
function inputGroups(
  context: DoctorContext,
  { jwt, envoyConfig, envoy, client, method, path }: Inputs,
): readonly CheckGroup<unknown>[] {
  const groups: CheckGroup<unknown>[] = []
  if (jwt !== undefined) {
    groups.push(
      new CheckGroup('JWT', async report => {
        const isAccepted = await checkJwt(context, jwt, report)
        if (isAccepted) await checkMatchingRule(context, jwt, { method, path }, report)
      }),
    )
  }
  if (envoyConfig !== undefined) {
    groups.push(
      new CheckGroup('Envoy configuration', async report => checkEnvoyConfig(context, envoyConfig, report)),
    )
  }
  if (envoy !== undefined) {
    groups.push(
      new CheckGroup('Envoy', report => checkEnvoyRoute(context, { url: envoy, jwt, client }, report)),
    )
  }
  return groups
}

interface Ending {
  readonly values: Values
  readonly surroundings: DoctorProcess
  readonly signal: AbortSignal
}

async function finish(
  groups: readonly CheckGroup<unknown>[],
  { values, surroundings, signal }: Ending,
): Promise<number> {
  const finished: FinishedGroup[] = []
  for await (const group of finishedGroups(groups, signal)) {
    finished.push(group)
    if (!values.json) surroundings.write(groupText(group, surroundings))
  }
  const results = finished.flatMap(group => group.results)
  const hasFailed = results.some(({ verdict }) => verdict === 'failed')
  const summary = summaryText(results)
  if (!values.json) surroundings.write(`${summary}\n`)
  else {
    const document = { version: version(), verdict: hasFailed ? 'failed' : 'ok', summary, groups: finished }
    surroundings.write(`${JSON.stringify(document, printableValue, 2)}\n`)
  }
  return hasFailed ? 1 : 0
}

/** People read the document on a terminal, too, and JSON leaves some of these characters as they are. */
function printableValue(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? printable(value) : value
}
