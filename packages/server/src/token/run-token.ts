import type { TokenRequest } from '@broker/core'
import { optionRules } from '@broker/core/options'
import { commandHelp } from '../command-line/command-help.ts'
import { exitStatus } from '../command-line/exit-status.ts'
import { type OptionValues, parsedArguments } from '../command-line/parsed-arguments.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import type { Config } from '../config/config.ts'
import { configWithoutGate } from '../config/config-without-gate.ts'
import { fileReaderOf } from '../config/file/file-reader-of.ts'
import { parseMilliseconds } from '../config/values/milliseconds.ts'
import { quoteValue } from '../config/values/quote-value.ts'
import { Refusal } from '../config/values/refusal.ts'
import { didYouMean } from '../nearest-name.ts'
import { tokenCacheOptions } from './cache/token-cache-options.ts'
import { configuredToken } from './configured-token.ts'
import { tokenCommand } from './token-command.ts'
import { type TokenAttempt, tokenFailure } from './token-failure.ts'
import { type TokenFormat, tokenWriter } from './token-text.ts'

/** The parts of the process that a run of the command needs. */
export interface TokenProcess {
  readonly env: NodeJS.ProcessEnv
  /** Standard output. */
  write(text: string): void
  /** A line on standard error. */
  tell(line: string): void
}

type Values = OptionValues<typeof tokenCommand.options>

/** Runs the command `token`; resolves with its exit status. Throws {@link WrongArguments} for arguments that are wrong whatever the configuration is. */
export async function runToken(
  program: string,
  args: readonly string[],
  { env, write, tell }: TokenProcess,
): Promise<number> {
  const { values } = parsedArguments(tokenCommand, args)
  if (values.help) {
    write(commandHelp(program, tokenCommand))
    return exitStatus.success.code
  }
  const textOf = tokenWriter(formatIn(values), env)
  const limits = limitsIn(values)
  let attempt: TokenAttempt | undefined
  try {
    const loaded = configWithoutGate(env, await fileReaderOf(env))
    const timeoutMs =
      limits.timeoutMs ?? loaded.broker.requestTimeoutMs ?? optionRules.requestTimeoutMs.default
    const config = { ...loaded, broker: { ...loaded.broker, requestTimeoutMs: timeoutMs } }
    attempt = { config, timeoutMs }
    const request = requestIn(values, config)
    attempt = { ...attempt, requested: { request, places: { scope: '--scope', audiences: '--audience' } } }
    const cache = values.cache
      ? tokenCacheOptions({
          env,
          keyFile: values['cache-key'],
          secret: secretOf(config, request.client),
          minRemainingMs: limits.minRemainingMs,
          warn: sentence => tell(`warning: ${sentence}`),
        })
      : {}
    write(textOf(await configuredToken(config, request, AbortSignal.timeout(timeoutMs), cache)))
    return exitStatus.success.code
  } catch (error) {
    const { text, exitCode } = tokenFailure(error, attempt)
    tell(text)
    return exitCode
  }
}

function formatIn({ format, header, json }: Values): TokenFormat {
  const wanted = [format, header ? 'header' : undefined, json ? 'json' : undefined]
  const [first = 'token', second] = wanted.filter(each => each !== undefined)
  if (second !== undefined) throw new WrongArguments('--format, --header and --json exclude each other')
  return first as TokenFormat
}

function limitsIn({ cache, timeout, 'cache-key': keyFile, 'min-remaining': minRemaining }: Values) {
  if (!cache && keyFile !== undefined) throw new WrongArguments('--cache-key needs --cache')
  if (!cache && minRemaining !== undefined) throw new WrongArguments('--min-remaining needs --cache')
  return {
    timeoutMs: durationIn('--timeout', timeout, optionRules.requestTimeoutMs),
    minRemainingMs: durationIn('--min-remaining', minRemaining, optionRules.expirySafetyMarginMs),
  }
}

function durationIn(
  option: string,
  text: string | undefined,
  limits: { readonly min: number; readonly max: number },
): number | undefined {
  try {
    return text === undefined ? undefined : parseMilliseconds(text, limits)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new WrongArguments(`${option}: ${error.message}; example: ${option}=10s`)
  }
}

function requestIn({ client, scope, audience }: Values, { broker }: Config): TokenRequest {
  if (client !== undefined && client !== 'default') {
    const hasDefault = broker.client?.clientId !== undefined
    assertClient(client, [...(hasDefault ? ['default'] : []), ...Object.keys(broker.clients ?? {})])
  }
  return {
    ...(client !== undefined && { client }),
    ...(scope !== undefined && { scope: scope.join(' ') }),
    ...(audience !== undefined && { audiences: audience }),
  }
}

function assertClient(name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  const list = known.length === 0 ? 'none is configured' : `known clients: ${known.join(', ')}`
  throw new WrongArguments(`--client: ${quoteValue(name)} is not a client; ${list}${didYouMean(name, known)}`)
}

/** The secret with which the token is requested; empty for a client without one. */
function secretOf({ broker: { client, clients = {} } }: Config, name: string | undefined): string {
  const { clientSecret } = (name === undefined || name === 'default' ? client : clients[name]) ?? {}
  return typeof clientSecret === 'string' ? clientSecret : ''
}
