import { BrokerError } from '../../shared/errors.ts'
import { type FetchedDocument, getDocument } from '../../shared/http/get-document.ts'
import { networkFailureCode, networkFailureHint } from '../../shared/http/network-failure.ts'
import type { Transport } from '../../shared/http/transport.ts'
import { KeySet } from './key-set.ts'

/** Five keys of Dex are 3 KiB. */
const maxJwksBytes = 512 * 1024

/** Fetches a JWK set once; every failure is a `jwks_unavailable` that says what to look at. */
export async function fetchKeySet(url: string, transport: Transport, signal: AbortSignal): Promise<KeySet> {
  let document: FetchedDocument
  try {
    document = await getDocument(url, { transport, signal, maxBytes: maxJwksBytes })
  } catch (error) {
    if (BrokerError.is(signal.reason)) throw signal.reason
    throw unavailable(
      signal.aborted ? 'the JWKS endpoint did not answer in time' : 'the JWKS endpoint could not be reached',
      networkFailureHint(networkFailureCode(error), 'JWKS_URL'),
      error,
    )
  }
  const { status, body } = document
  if (status !== 200) {
    throw unavailable(
      `the JWKS endpoint answered with status ${status}`,
      'look at JWKS_URL and the log behind it',
    )
  }
  if (body === undefined) throw unavailable('the JWKS endpoint sent more than 512 KiB')
  const keySet = KeySet.parse(body)
  if (keySet === undefined) {
    throw unavailable(
      'the JWKS endpoint sent no key set, or an empty one',
      'something else answers at JWKS_URL',
    )
  }
  return keySet
}

function unavailable(message: string, hint?: string, cause?: unknown): BrokerError {
  return new BrokerError('jwks_unavailable', message, { hint, cause })
}
