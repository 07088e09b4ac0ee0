import { brokerErrorCodes } from '@broker/core'
import { networkFailureCode } from '@broker/core/diagnosis'
import { bodyText } from './body-text.ts'
import type { DoctorContext } from './doctor-context.ts'

/** More than a page of an echo server. */
const maxBodyBytes = 262_144

/** An answer as a client of Envoy gets it. */
export interface EnvoyAnswer {
  readonly status: number
  readonly body: string
  header(name: string): string | undefined
}

/** Sends a request as a client of Envoy; resolves with words that follow the URL when there is no answer. */
export async function askEnvoy(
  context: DoctorContext,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<EnvoyAnswer | string> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(2 * context.timeoutMs)])
  try {
    const response = await context.transports.transport(url, {
      method: 'GET',
      headers: { 'user-agent': context.userAgent, 'accept-encoding': 'identity', ...headers },
      redirect: 'manual',
      signal,
      maxBodyBytes,
    })
    return {
      status: response.status,
      body: await bodyText(response.body, maxBodyBytes),
      header: name => response.headers.get(name) ?? undefined,
    }
  } catch (error) {
    if (signal.aborted) return 'did not answer in time'
    return `cannot be reached (${networkFailureCode(error) ?? 'unknown error'})`
  }
}

/** The author of an answer, as far as a client can tell. */
export type Answerer = 'broker' | 'broker outside /check' | 'Envoy' | 'broker itself' | 'backend'

/** The end of the answer that the check listener gives to a request outside `/check`. */
const unknownTarget = 'not found\n'

export function answererOf({ status, body, header }: EnvoyAnswer): Answerer {
  if (header('x-envoy-auth-headers-to-remove') !== undefined) return 'broker itself'
  if (brokerErrorOf(body) !== undefined || /realm="dex-token-broker"/.test(header('www-authenticate') ?? ''))
    return 'broker'
  if (status === 404 && body === unknownTarget) return 'broker outside /check'
  return (status === 403 || status >= 500) && body === '' ? 'Envoy' : 'backend'
}

/** A refusal of the broker. */
export interface BrokerRefusal {
  readonly error: string
  readonly description: string
}

export function brokerErrorOf(body: string): BrokerRefusal | undefined {
  try {
    const { error, error_description: description } = JSON.parse(body) as Record<string, unknown>
    if (typeof error !== 'string' || !Object.hasOwn(brokerErrorCodes, error)) return undefined
    return { error, description: typeof description === 'string' ? description : '' }
  } catch {
    return undefined
  }
}
