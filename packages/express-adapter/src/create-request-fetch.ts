import { type Broker, type CreateFetchOptions, createFetch } from '@broker/core'
import type { Request as IncomingRequest } from 'express'
import { CallSignal } from './call-signal.ts'
import { clientGone } from './client-gone.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/**
 * Creates a `createFetch` of `@broker/core` per incoming request, whose calls end when the client closes the connection.
 *
 * They then reject with an `AbortError`, which `brokerErrorHandler` ignores. The signal of a call works as well. Calls after
 * the answer is complete continue. Throws a `TypeError` that names a wrong option.
 */
export function createRequestFetch(
  broker: Broker,
  options: CreateFetchOptions,
): (request: IncomingRequest) => typeof globalThis.fetch {
  const send = createFetch(broker, options)
  return request => {
    const { res: answer } = request
    if (answer === undefined) throw new TypeError('request must come from Express')
    return async (input, init) => {
      const own = signalOf(input, init)
      if (own === undefined) return send(input, withSignal(init, clientGone(answer)))
      if (answer.closed && answer.writableFinished) return send(input, init)
      const call = new CallSignal(own, answer)
      try {
        const response = await send(input, withSignal(init, call.signal))
        call.releaseAfter(response)
        return response
      } catch (error) {
        call.release()
        throw error
      }
    }
  }
}

/** Reads the signal like `fetch`: the init comes before the `Request`, and `null` means none. */
function signalOf(input: FetchInput, init: RequestInit | undefined): AbortSignal | undefined {
  const { signal } = init ?? {}
  if (signal !== undefined) return signal ?? undefined
  return typeof input === 'object' && 'signal' in input ? input.signal : undefined
}

/** Returns a view of the init, not a copy, because a `Request` as init has its fields on the prototype. */
function withSignal(init: RequestInit | undefined, signal: AbortSignal): RequestInit {
  return new Proxy(init ?? {}, {
    get: (fields, name) => (name === 'signal' ? signal : Reflect.get(fields, name, fields)),
  })
}
