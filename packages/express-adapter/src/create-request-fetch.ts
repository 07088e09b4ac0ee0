import {
  type Broker,
  type CreateFetchOptions,
  createFetch,
  type TokenProvider,
  type TokenRequest,
} from '@broker/core'
import type { Request as IncomingRequest } from 'express'
import { CallSignal } from './call-signal.ts'
import { clientGone } from './client-gone.ts'
import { type TokenOption, tokenRequestFor } from './token-option.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/** The options of {@link createRequestFetch}; the same as for `createFetch`. */
export interface RequestFetchOptions extends Omit<CreateFetchOptions, 'token'> {
  /**
   * The token request, or a function of the incoming request, which may be async and is called once for each request whose calls
   * need a token. Default: the token of the broker's configured client.
   */
  readonly token?: TokenOption | undefined
}

/**
 * Creates a `createFetch` of `@broker/core` per incoming request, whose calls end when the client closes the connection.
 *
 * They then reject with an `AbortError`, which `brokerErrorHandler` ignores. The signal of a call works as well. Calls after
 * the answer is complete continue. Throws a `TypeError` that names a wrong option.
 */
export function createRequestFetch(
  broker: Broker,
  options: RequestFetchOptions,
): (request: IncomingRequest) => typeof globalThis.fetch {
  const fetchOf = fetchWithToken(broker, options)
  return request => {
    const send = fetchOf(request)
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

/** A function `token` needs a fetch for each request; without one they share it. */
function fetchWithToken(
  broker: Broker,
  options: RequestFetchOptions,
): (request: IncomingRequest) => typeof globalThis.fetch {
  const { token } = options
  if (typeof token !== 'function') {
    const send = createFetch(broker, options as CreateFetchOptions)
    return () => send
  }
  const fetchFor = (tokenRequest: () => Promise<TokenRequest>) =>
    createFetch(withTokenRequest(broker, tokenRequest), { ...options, token: {} })
  // Validates the options now, not at the first request.
  fetchFor(async () => ({}))
  return request => {
    let chosen: Promise<TokenRequest> | undefined
    return fetchFor(() => {
      chosen ??= tokenRequestFor(request, token)
      return chosen
    })
  }
}

/** A broker for one token request, which is not known yet. */
function withTokenRequest(
  broker: Broker & TokenProvider,
  tokenRequest: () => Promise<TokenRequest>,
): TokenProvider {
  return {
    get authorizationHeader() {
      return broker.authorizationHeader
    },
    logger: broker.logger,
    asksAt: url => broker.asksAt(url),
    invalidate: token => broker.invalidate(token),
    peekToken: () => undefined,
    tokenFor: async ({ signal }) => broker.tokenFor({ ...(await tokenRequest()), signal }),
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
