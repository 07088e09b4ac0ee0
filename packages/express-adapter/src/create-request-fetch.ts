import {
  type CreateFetchOptions,
  createFetch,
  type ExchangeRequest,
  type TokenProvider,
  type TokenRequestFunction,
} from '@broker/core'
import type { Request as IncomingRequest } from 'express'
import { CallSignal } from './call-signal.ts'
import { clientGone } from './client-gone.ts'
import { type ExchangeOption, exchangeOfCaller } from './exchange-option.ts'
import type { TokenOption } from './token-option.ts'

type FetchInput = Parameters<typeof globalThis.fetch>[0]

/** The options of {@link createRequestFetch}; the same as for `createFetch`. */
export interface RequestFetchOptions extends Omit<CreateFetchOptions, 'token' | 'exchange'> {
  /**
   * The token request, or a function of the incoming request, which may be async and is called once for each request whose calls
   * need a token. Default: the token of the broker's configured client.
   */
  readonly token?: TokenOption | undefined
  /**
   * The token exchange that gives the calls the token of the caller that `requireJwt` found; excludes `token`. Omit it for the client's
   * own token: `undefined` is a `TypeError`.
   */
  readonly exchange?: ExchangeOption
}

/**
 * Creates a `createFetch` of `@broker/core` per incoming request, whose calls end when the client closes the connection.
 *
 * They then reject with an `AbortError`, which `brokerErrorHandler` ignores. The signal of a call works as well. Calls after
 * the answer is complete continue. Throws a `TypeError` that names a wrong option.
 *
 * With `exchange` the calls are on behalf of the caller. The function that it returns then throws a `TypeError` for a request for
 * which `requireJwt` has not run.
 */
export function createRequestFetch(
  provider: TokenProvider,
  options: RequestFetchOptions,
): (request: IncomingRequest) => typeof globalThis.fetch {
  const fetchOf = fetchWithToken(provider, options)
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
  provider: TokenProvider,
  options: RequestFetchOptions,
): (request: IncomingRequest) => typeof globalThis.fetch {
  const exchangeOf = exchangeOfCaller(options)
  if (exchangeOf !== undefined) {
    const fetchFor = (exchange: ExchangeRequest) =>
      createFetch(provider, { ...callOptions(options), exchange })
    // Validates the options now, not at the first request.
    fetchFor({ ...(options.exchange as ExchangeOption), subjectToken: '' })
    return request => fetchFor(exchangeOf(request))
  }
  const { token } = options
  if (typeof token !== 'function') {
    const send = createFetch(provider, options as CreateFetchOptions)
    return () => send
  }
  const fetchFor = (tokenOfCall: TokenRequestFunction) =>
    createFetch(provider, { ...callOptions(options), token: tokenOfCall })
  // Validates the options now, not at the first request.
  fetchFor(() => ({}))
  return request => {
    const ask = async () => token(request)
    let chosen: ReturnType<TokenRequestFunction> | undefined
    return fetchFor(() => {
      chosen ??= ask()
      return chosen
    })
  }
}

/** The options without those that choose the token. */
function callOptions({ token: _, exchange: __, ...others }: RequestFetchOptions): CreateFetchOptions {
  return others
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
