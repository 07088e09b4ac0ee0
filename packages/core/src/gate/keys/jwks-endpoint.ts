import { BrokerError, type BrokerErrorOptions } from '../../shared/errors.ts'
import { type FetchedDocument, getDocument } from '../../shared/http/get-document.ts'
import { networkFailureCode, networkFailureHint } from '../../shared/http/network-failure.ts'
import type { Transport } from '../../shared/http/transport.ts'
import { KeySet } from './key-set.ts'

/** Five keys of Dex are 3 KiB. */
const maxJwksBytes = 512 * 1024

export interface JwksRequest {
  readonly transport: Transport
  readonly signal: AbortSignal
  /** The option that says where the key set is, for hints. */
  readonly option: string
}

/** Fetches a JWK set once; every failure is a `jwks_unavailable` that says what to look at. */
export async function fetchKeySet(url: string, { transport, signal, option }: JwksRequest): Promise<KeySet> {
  let document: FetchedDocument
  try {
    document = await getDocument(url, { transport, signal, maxBytes: maxJwksBytes })
  } catch (error) {
    throw unavailable(
      signal.aborted ? 'the JWKS endpoint did not answer in time' : 'the JWKS endpoint could not be reached',
      { transient: true, hint: networkFailureHint(networkFailureCode(error), option), cause: error },
    )
  }
  const { status, body } = document
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
      hint: { problem: 'no_key_set', option },
    })
  }
  return keySet
}

function unavailable(message: string, options: BrokerErrorOptions = {}): BrokerError {
  return new BrokerError('jwks_unavailable', message, options)
}
