import type { BrokerPorts, CheckProtocol } from '@broker/testing'
import { inject } from 'vitest'
import type { ClientAnswer } from './client-request.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** How Envoy asks the broker in this run of the suites; each vitest project has its own. */
    protocol: CheckProtocol
  }
}

/** How Envoy asks the broker in this run of the suites. */
export const protocol: CheckProtocol = inject('protocol')

/** Free ports for a broker, with the listener that Envoy asks. */
export const anyPorts: BrokerPorts = { port: 0, adminPort: 0, ...(protocol === 'grpc' && { grpcPort: 0 }) }

/** Headers of every answer that Envoy itself makes. */
export const headersOfEnvoy: readonly string[] = ['content-length', 'date', 'server']

/** An answer, reduced to what the protocols differ in. */
export interface FailedCheck {
  readonly status: number
  /** Of the JSON body; `undefined` where the body is empty. */
  readonly error: string | undefined
  readonly retryAfter: string | undefined
  /** In alphabetical order. */
  readonly headerNames: readonly string[]
}

/** An answer of Envoy to a check that failed. */
export function failedCheck({ status, headers, body }: ClientAnswer): FailedCheck {
  return {
    status,
    error: body === '' ? undefined : JSON.parse(body).error,
    retryAfter: headers['retry-after'],
    headerNames: Object.keys(headers).sort(),
  }
}

/**
 * What the client sees when the broker answers 5xx. Over gRPC it is the broker's own answer; over HTTP Envoy drops the answer,
 * and the client gets `status_on_error`, which is 503 unless another one is given.
 */
export function seenByClient(
  byBroker: { readonly status: number; readonly error: string; readonly retryAfter?: string },
  statusOnError = 503,
): FailedCheck {
  if (protocol === 'http') {
    return {
      status: statusOnError,
      error: undefined,
      retryAfter: undefined,
      headerNames: [...headersOfEnvoy].sort(),
    }
  }
  const { status, error, retryAfter } = byBroker
  const own = ['cache-control', 'content-type', ...(retryAfter === undefined ? [] : ['retry-after'])]
  return { status, error, retryAfter, headerNames: [...headersOfEnvoy, ...own].sort() }
}
