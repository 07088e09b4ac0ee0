import { BrokerError, type BrokerErrorCode } from '@broker/core'
import { brokerFailure, type LimitedCall, lateAdvice } from '../broker-failure.ts'
import { exitStatus } from '../command-line/exit-status.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { formatMilliseconds } from '../config/values/milliseconds.ts'
import { Refusal } from '../config/values/refusal.ts'
import { printable } from '../printable.ts'

/** Why a command has no token. */
export interface TokenFailure {
  readonly exitCode: number
  /** Lines for people, without a final line break: the fact, then the advice. Never holds a secret. */
  readonly text: string
}

/**
 * Words why `configuredToken` failed, and decides the exit status. `attempt` is absent when there is no configuration. Throws an error that
 * is none of the expected ones.
 */
export function tokenFailure(error: unknown, attempt?: LimitedCall): TokenFailure {
  if (error instanceof ConfigError || error instanceof Refusal) {
    return { exitCode: exitStatus.wrongConfiguration.code, text: error.message }
  }
  if (error instanceof WrongArguments) return { exitCode: exitStatus.wrongUsage.code, text: error.message }
  if (attempt === undefined) throw error
  if (BrokerError.is(error)) return brokerErrorFailure(error, attempt)
  if (error instanceof DOMException && error.name === 'TimeoutError') return timedOut(attempt)
  throw error
}

function brokerErrorFailure(error: BrokerError, attempt: LimitedCall): TokenFailure {
  const { code, transient } = error
  if (code === 'missing_credentials') return withoutClient(attempt.config)
  const { fact, advice } = brokerFailure(error, attempt)
  const at = error.upstreamRequest === undefined ? '' : ` at ${error.upstreamRequest.url}`
  return {
    exitCode: (transient ? exitStatus.unavailable : statusOf(code)).code,
    text: lines(fact + at, advice),
  }
}

/** A command has no caller who could bring credentials, so the configuration lacks them. */
function withoutClient({ broker: { clients = {} } }: Config): TokenFailure {
  const names = Object.keys(clients)
  const advice =
    names.length === 0
      ? 'set STATIC_CLIENT_ID and STATIC_CLIENT_SECRET_FILE, or add a client to the file of CONFIG_FILE'
      : `name a client with --client: ${names.join(', ')}`
  return {
    exitCode: exitStatus.wrongConfiguration.code,
    text: lines('no client is configured for a token without --client', advice),
  }
}

function timedOut(attempt: LimitedCall): TokenFailure {
  return {
    exitCode: exitStatus.unavailable.code,
    text: lines(`no token within ${formatMilliseconds(attempt.timeoutMs)}`, lateAdvice(attempt)),
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
