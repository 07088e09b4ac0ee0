import { BrokerError, type BrokerErrorCode, type TokenRequest } from '@broker/core'
import { brokerFailure } from '../broker-failure.ts'
import { exitStatus } from '../command-line/exit-status.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { configSchema } from '../config/schema/config-schema.ts'
import { formatMilliseconds } from '../config/values/milliseconds.ts'
import { Refusal } from '../config/values/refusal.ts'
import { describeHint } from '../describe-hint.ts'
import { printable } from '../printable.ts'

/** Why a command has no token. */
export interface TokenFailure {
  readonly exitCode: number
  /** Lines for people, without a final line break: the fact, then the advice. Never holds a secret. */
  readonly text: string
}

/** The configuration in effect, and the limit of the command in milliseconds. */
export interface TokenAttempt {
  readonly config: Config
  readonly timeoutMs: number
  readonly requested?: RequestedParts
}

/** The parts of a request that the call sets in place of the client's own, and the places where the user has written them. */
export interface RequestedParts {
  readonly request: Pick<TokenRequest, 'scope' | 'audiences'>
  readonly places: { readonly scope: string; readonly audiences: string }
}

/**
 * Words why `configuredToken` failed, and decides the exit status. `attempt` is absent when there is no configuration. Throws an error that
 * is none of the expected ones.
 */
export function tokenFailure(error: unknown, attempt?: TokenAttempt): TokenFailure {
  if (error instanceof ConfigError || error instanceof Refusal) {
    return { exitCode: exitStatus.wrongConfiguration.code, text: error.message }
  }
  if (error instanceof WrongArguments) return { exitCode: exitStatus.wrongUsage.code, text: error.message }
  if (attempt === undefined) throw error
  if (BrokerError.is(error)) return brokerErrorFailure(error, attempt)
  if (error instanceof DOMException && error.name === 'TimeoutError') return timedOut(attempt)
  throw error
}

function brokerErrorFailure(error: BrokerError, attempt: TokenAttempt): TokenFailure {
  const { code, transient } = error
  if (code === 'missing_credentials') return withoutClient(attempt.config)
  const { fact, advice: usual } = brokerFailure(error, attempt)
  const advice = scopeAdvice(error, attempt.requested) ?? issuerAdvice(error) ?? usual
  const at = error.upstreamRequest === undefined ? '' : ` at ${error.upstreamRequest.url}`
  return {
    exitCode: (transient ? exitStatus.unavailable : statusOf(code)).code,
    text: lines(fact + at, advice),
  }
}

/** Advice about a rejected scope or audience that the call itself names, and not the configuration. */
function scopeAdvice({ hint, oauthError }: BrokerError, requested: RequestedParts | undefined) {
  if (oauthError !== 'invalid_scope' || requested === undefined) return undefined
  const { request, places } = requested
  if (hint?.problem === 'peer_does_not_trust')
    return request.audiences && describeHint({ ...hint, option: places.audiences })
  return (
    request.scope &&
    `correct ${places.scope}: Dex rejected it; client ids of services belong in ${places.audiences}`
  )
}

/** Outside a cluster, the default of DEX_TOKEN_URL is only the sign that nobody has named a Dex. */
function issuerAdvice({ hint, upstreamRequest }: BrokerError): string | undefined {
  const isDefault = upstreamRequest?.url === configSchema.DEX_TOKEN_URL.rule.default
  return isDefault && hint?.problem === 'host_not_found'
    ? 'set DEX_ISSUER: without it and DEX_TOKEN_URL, Dex is expected at its default address in a cluster'
    : undefined
}

/** A command has no caller who could bring credentials, so the configuration lacks them. */
function withoutClient({ broker: { client, clients = {} } }: Config): TokenFailure {
  const wrong = (fact: string, advice: string) => ({
    exitCode: exitStatus.wrongConfiguration.code,
    text: lines(fact, advice),
  })
  const names = Object.keys(clients)
  if (client?.clientId !== undefined)
    return wrong('the client of STATIC_CLIENT_ID has no secret', 'set STATIC_CLIENT_SECRET_FILE')
  if (client?.clientSecret !== undefined)
    return wrong('the secret of the client has no client id', 'set STATIC_CLIENT_ID')
  if (names.length > 0)
    return wrong('there is no default client', `name a client with --client: ${names.join(', ')}`)
  return wrong(
    'no client is configured',
    'set STATIC_CLIENT_ID and STATIC_CLIENT_SECRET_FILE, or name a client of CONFIG_FILE with --client',
  )
}

function timedOut({ config, timeoutMs }: TokenAttempt): TokenFailure {
  const option = config.broker.tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint'
  const detail = `${timeoutMs} ms`
  return {
    exitCode: exitStatus.unavailable.code,
    text: lines(
      `no token within ${formatMilliseconds(timeoutMs)}`,
      describeHint({ problem: 'not_answered_in_time', option, detail }),
    ),
  }
}

function statusOf(code: BrokerErrorCode) {
  switch (code) {
    case 'invalid_request':
      return exitStatus.wrongUsage
    case 'token_endpoint_unavailable':
    case 'overloaded':
      return exitStatus.unavailable
    default:
      return exitStatus.refused
  }
}

/** Each part is one line, whatever Dex has answered. */
function lines(fact: string, advice: string | undefined): string {
  return advice === undefined ? printable(fact) : `${printable(fact)}\n${printable(advice)}`
}
