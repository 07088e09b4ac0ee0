import { commandHelp } from '../command-line/command-help.ts'
import { type OptionValues, parsedArguments } from '../command-line/parsed-arguments.ts'
import { readArgumentFile } from '../command-line/read-argument-file.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import type { Config } from '../config/config.ts'
import { explain, hasGate } from './explain.ts'
import { explainCommand } from './explain-command.ts'
import type { ExplainRequest } from './explain-request.ts'
import { explainText } from './explain-text.ts'

type Values = OptionValues<typeof explainCommand.options>

/** Runs the command `explain`; returns its output. Throws {@link WrongArguments}, or a `ConfigError`. */
export async function runExplain(
  args: readonly string[],
  readConfig: () => Promise<Config>,
): Promise<string> {
  const { values } = parsedArguments(explainCommand, args)
  if (values.help) return commandHelp('dex-token-broker', explainCommand)
  const config = await readConfig()
  const request: ExplainRequest = {
    caller: await callerIn(values),
    method: values.method,
    path: values.path,
    headers: (values.header ?? []).flatMap(headerLine),
    context: Object.fromEntries((values.context ?? []).map(contextEntry)),
  }
  if (!request.path.startsWith('/')) throw new WrongArguments('--path must start with /')
  if (request.caller === undefined && hasGate(config)) {
    throw new WrongArguments('callers need a JWT: add --jwt-file or --claims')
  }
  if (request.caller !== undefined && !hasGate(config)) {
    throw new WrongArguments(
      'the configuration has no JWT gate and no issuers, so the caller is not known; omit --jwt-file and --claims',
    )
  }
  return explainText(request, await explain(config, request))
}

async function callerIn(values: Values): Promise<ExplainRequest['caller']> {
  const { 'jwt-file': jwtFile, claims: claimsFile, issuer } = values
  if (jwtFile !== undefined && claimsFile !== undefined) {
    throw new WrongArguments('--jwt-file and --claims exclude each other')
  }
  if (issuer !== undefined && claimsFile === undefined) throw new WrongArguments('--issuer needs --claims')
  if (jwtFile !== undefined) return { jwt: (await readArgumentFile('--jwt-file', jwtFile)).trim() }
  if (claimsFile === undefined) return undefined
  const claims = jsonIn(await readArgumentFile('--claims', claimsFile))
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new WrongArguments('--claims must be a file with a JSON object')
  }
  return { claims: { ...claims }, issuer }
}

/** `undefined` for a text that is not JSON. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function headerLine(text: string): [string, string] {
  const colon = text.indexOf(':', 1)
  if (colon === -1) throw new WrongArguments(`--header must be 'name: value', not ${JSON.stringify(text)}`)
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]
}

function contextEntry(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new WrongArguments(`--context must be key=value, not ${JSON.stringify(text)}`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}
