import { BrokerError, type BrokerErrorOptions } from '../../shared/errors.ts'
import { type FetchedDocument, getDocument } from '../../shared/http/get-document.ts'
import { networkFailureCode, networkFailureHint } from '../../shared/http/network-failure.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { KeySet } from './key-set.ts'

/** Five keys of Dex are 3 KiB. */
const maxJwksBytes = 512 * 1024
/** The Kubernetes API server has nothing for whoever accepts plain JSON only. */
const accept = 'application/jwk-set+json, application/json'

export interface JwksRequest {
  readonly surroundings: Surroundings
  readonly signal: AbortSignal
  /** The option that says where the key set is, for hints. */
  readonly option: string
}

/** Fetches a JWK set once; every failure is a `jwks_unavailable` that says what to look at. */
export async function fetchKeySet(
  url: string,
  { surroundings, signal, option }: JwksRequest,
): Promise<KeySet> {
  const { transport, userAgent, requestTimeoutMs } = surroundings
  let document: FetchedDocument
  try {
    document = await getDocument(url, { transport, userAgent, accept, signal, maxBytes: maxJwksBytes })
  } catch (error) {
    throw unavailable(
      signal.aborted ? 'the JWKS endpoint did not answer in time' : 'the JWKS endpoint could not be reached',
      {
        transient: true,
        hint: signal.aborted
          ? { problem: 'not_answered_in_time', option, detail: `${requestTimeoutMs} ms` }
          : networkFailureHint(networkFailureCode(error), option),
        cause: error,
      },
    )
  }
  const { status, body, unknownCoding } = document
  if (status !== 200) {
    throw unavailable(`the JWKS endpoint answered with status ${status}`, {
      transient: status >= 500 || status === 429,
      upstreamStatus: status,
      hint: { problem: 'status_of_key_set', option },
    })
  }
  if (body === undefined) throw unavailable('the JWKS endpoint sent more than 512 KiB')
  const keySet = KeySet.parse(body)
  if (keySet === undefined) {
    throw unavailable('the JWKS endpoint sent no key set, or an empty one', {
      hint:
        unknownCoding === undefined
          ? { problem: 'no_key_set', option }
          : { problem: 'encoded', option, detail: unknownCoding },
    })
  }
  return keySet
}

function unavailable(message: string, options: BrokerErrorOptions = {}): BrokerError {
  return new BrokerError('jwks_unavailable', message, options)
}
