import { parseArgs } from 'node:util'
import type { Config } from '../config/config.ts'
import { explain, hasGate } from './explain.ts'
import type { ExplainRequest } from './explain-request.ts'
import { explainText } from './explain-text.ts'
import { readArgumentFile } from './read-argument-file.ts'
import { WrongArguments } from './wrong-arguments.ts'

const usage = `Usage: dex-token-broker explain (--jwt-file FILE | --claims FILE [--issuer NAME])
                               [--method GET] [--path /] [--header 'name: value']...
                               [--context key=value]...

Shows what the broker does with a request: the caller, how each rule decides, the client, and the headers. Requests no token.

  --jwt-file FILE         the caller's JWT, verified with the keys of its issuer; - reads standard input
  --claims FILE           the caller's claims as JSON; nothing is sent, and iss and exp may be absent
  --issuer NAME           the issuer of the claims, by its name in CONFIG_FILE
  --method METHOD         the method of the request. Default: GET
  --path PATH             path and query, as the client sends them. Default: /
  --header 'NAME: VALUE'  a header of the request; may be repeated
  --context KEY=VALUE     an entry of context_extensions of the route; may be repeated
`

/** Runs the command `explain`; returns its output. Throws {@link WrongArguments}, or a `ConfigError`. */
export async function runExplain(
  args: readonly string[],
  readConfig: () => Promise<Config>,
): Promise<string> {
  const values = parsed(args)
  if (values.help) return usage
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

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'jwt-file': { type: 'string' },
        claims: { type: 'string' },
        issuer: { type: 'string' },
        method: { type: 'string', default: 'GET' },
        path: { type: 'string', default: '/' },
        header: { type: 'string', multiple: true },
        context: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return values
  } catch (error) {
    throw new WrongArguments((error as Error).message)
  }
}

async function callerIn(values: ReturnType<typeof parsed>): Promise<ExplainRequest['caller']> {
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
