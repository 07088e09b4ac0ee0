import { type Broker, type CreateFetchOptions, createFetch } from '@broker/core'
import type { Request as IncomingRequest } from 'express'
import { CallSignal } from './call-signal.ts'
import { clientGone } from './client-gone.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/**
 * `createFetch` of `@broker/core` for calls that belong to an incoming request: they end when its client leaves.
 *
 * They then reject with an `AbortError`, which `brokerErrorHandler` takes without a word; a call's own signal counts as
 * well. Once the answer is finished there is no client to leave any more, and calls go on.
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

/** As `fetch` reads it: the signal of the init, `null` for none, counts before that of a `Request`. */
function signalOf(input: FetchInput, init: RequestInit | undefined): AbortSignal | undefined {
  const { signal } = init ?? {}
  if (signal !== undefined) return signal ?? undefined
  return typeof input === 'object' && 'signal' in input ? input.signal : undefined
}

/** A view of the init, and no copy: the init may be a `Request`, which has its fields on the prototype. */
function withSignal(init: RequestInit | undefined, signal: AbortSignal): RequestInit {
  return new Proxy(init ?? {}, {
    get: (fields, name) => (name === 'signal' ? signal : Reflect.get(fields, name, fields)),
  })
}
