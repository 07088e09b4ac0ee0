import { BrokerError } from '../errors.ts'
import { networkFailureCode, networkFailureHint } from '../http/network-failure.ts'
import { readBoundedBody } from '../http/read-bounded-body.ts'
import type { Transport } from '../http/transport.ts'
import { KeySet } from './key-set.ts'

/** Five keys of Dex are 3 KiB. */
const maxJwksBytes = 512 * 1024

/** Fetches a JWK set once; every failure is a `jwks_unavailable` that says what to look at. */
export async function fetchKeySet(url: string, transport: Transport, signal: AbortSignal): Promise<KeySet> {
  let status: number
  let body: string | undefined
  try {
    const response = await transport(url, {
      method: 'GET',
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    })
    status = response.status
    body = await readBoundedBody(response, maxJwksBytes)
  } catch (error) {
    if (BrokerError.is(signal.reason)) throw signal.reason
    throw unavailable(
      signal.aborted ? 'the JWKS endpoint did not answer in time' : 'the JWKS endpoint could not be reached',
      networkFailureHint(networkFailureCode(error), 'JWKS_URL'),
      error,
    )
  }
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
