import { BrokerError, type BrokerErrorOptions } from '../../shared/errors.ts'
import type { HintProblem } from '../../shared/hint.ts'
import { callUpstream } from '../../shared/http/call-upstream.ts'
import { type FetchedDocument, getDocument } from '../../shared/http/get-document.ts'
import { isPassing, problemOfStatus } from '../../shared/http/upstream-status.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import { KeySet } from './key-set.ts'

/** Five keys of Dex take 3 KiB. */
const maxJwksBytes = 512 * 1024
/** The Kubernetes API server refuses requests that accept plain JSON only. */
const accept = 'application/jwk-set+json, application/json'

export interface JwksRequest {
  readonly surroundings: Surroundings
  readonly signal: AbortSignal
  /** Number of the attempt since the last success, from 1. */
  readonly attempt: number
  /** The option that holds the URL of the key set, for hints. */
  readonly option: string
  /** A key that fits none of these is unusable. */
  readonly algorithms: readonly string[]
  readonly parent: SpanContext | undefined
}

/** Fetches a JWK set once. Every failure is `jwks_unavailable`, most of them with a hint. */
export function fetchKeySet(
  url: string,
  { surroundings, signal, attempt, option, algorithms, parent }: JwksRequest,
): Promise<KeySet> {
  const { transport, userAgent, tracer, requestTimeoutMs: timeoutMs } = surroundings
  return callUpstream({
    url,
    attempt,
    timeoutMs,
    signal,
    upstream: 'the JWKS endpoint',
    option,
    unavailable: 'jwks_unavailable',
    tracer,
    span: { name: 'jwks fetch', method: 'GET', parent },
    send: () => getDocument(url, { transport, userAgent, accept, signal, maxBytes: maxJwksBytes }),
    judge: answer => keySetIn(answer, option, algorithms),
  })
}

function keySetIn(
  { status, body, unknownCoding }: FetchedDocument,
  option: string,
  algorithms: readonly string[],
): KeySet {
  if (status !== 200) {
    throw unavailable(`the JWKS endpoint answered with status ${status}`, {
      transient: isPassing(status),
      upstreamStatus: status,
      hint: { problem: problemOf(status), option },
    })
  }
  if (body === undefined) throw unavailable('the key set is larger than 512 KiB')
  const keySet = KeySet.parse(body, algorithms)
  if (keySet === undefined) {
    throw unavailable('the JWKS endpoint answered without a key set, or with an empty one', {
      hint:
        unknownCoding === undefined
          ? { problem: 'no_key_set', option }
          : { problem: 'encoded', option, detail: unknownCoding },
    })
  }
  return keySet
}

/** Problems of a status that a key set shares with a token endpoint. */
const sharedProblems: ReadonlySet<HintProblem> = new Set([
  'path_not_found',
  'redirects',
  'upstream_failed',
  'upstream_unreachable',
])

function problemOf(status: number): HintProblem {
  const problem = problemOfStatus(status)
  return sharedProblems.has(problem) ? problem : 'status_of_key_set'
}

function unavailable(message: string, options: BrokerErrorOptions = {}): BrokerError {
  return new BrokerError('jwks_unavailable', message, options)
}
