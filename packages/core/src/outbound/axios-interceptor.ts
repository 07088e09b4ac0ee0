import { type OutgoingTokenOptions, OutgoingTokens, type TokenProvider } from './outgoing-tokens.ts'
import { bodySize } from './request-body.ts'

/** What is used of an axios configuration, as it is for an adapter. */
interface AxiosConfig {
  url?: string | undefined
  headers: object
  data?: unknown
  adapter?: unknown
  auth?: unknown
  signal?: unknown
}

interface AxiosResponse {
  readonly status: number
  readonly headers: object
  readonly data: unknown
  config: unknown
  request?: unknown
}

/** What is used of an axios instance: axios 1. */
export interface AxiosLike {
  readonly interceptors: {
    readonly request: {
      use(
        onFulfilled: (config: unknown) => never,
        onRejected?: null,
        options?: { synchronous?: boolean },
      ): number
    }
  }
  create(): {
    readonly defaults: object
    request(config: never): Promise<unknown>
    getUri(config: never): string
  }
}

type Adapter = (config: AxiosConfig) => Promise<unknown>

/**
 * Makes a function that puts the broker's token on the calls of an axios instance to the places in `allow`, and on no
 * others: `axiosInterceptor(broker, { allow })(client)`. It returns the number with which axios can eject it.
 *
 * No token, no request: the call rejects with `BrokerError`. Redirects of calls with a token are not followed. After a 401
 * the token is replaced, and the call sent once more when its body is no stream and not longer than `maxReplayBytes`.
 * Neither responses nor errors show the token: it is not in `config`, and `request` is not enumerable.
 *
 * It decides when everything else has run, so its place among interceptors does not matter. Throws a `TypeError` that
 * names the wrong option.
 */
export function axiosInterceptor(
  broker: TokenProvider,
  options: OutgoingTokenOptions,
): (instance: AxiosLike) => number {
  const tokens = new OutgoingTokens(broker, options, ['allow', 'token', 'ownAuthorization', 'maxReplayBytes'])
  return instance => {
    const plain = plainInstance(instance)
    const ours = new WeakSet<Adapter>()
    const intercept = (config: AxiosConfig): AxiosConfig => {
      const { adapter } = config
      // A call that somebody makes again, with the configuration that an error shows, has it already.
      if (ours.has(adapter as Adapter)) return config
      const own: Adapter = call => new AxiosCall(plain, { ...call, adapter }, tokens).send(call)
      ours.add(own)
      config.adapter = own
      return config
    }
    return instance.interceptors.request.use(intercept as never, null, { synchronous: true })
  }
}

/** Without defaults, so that it sends what it is given, and finds the adapter that the configuration means. */
function plainInstance(instance: AxiosLike): ReturnType<AxiosLike['create']> {
  const plain = instance.create()
  for (const name of Object.keys(plain.defaults)) Reflect.deleteProperty(plain.defaults, name)
  return plain
}

/** One call of an instance: what it is told to send, once everything else has been decided. */
class AxiosCall {
  readonly #plain: ReturnType<AxiosLike['create']>
  readonly #config: AxiosConfig
  readonly #tokens: OutgoingTokens

  constructor(plain: ReturnType<AxiosLike['create']>, config: AxiosConfig, tokens: OutgoingTokens) {
    this.#plain = plain
    this.#config = config
    this.#tokens = tokens
  }

  /** `shown`: the configuration that responses and errors show. */
  async send(shown: AxiosConfig): Promise<unknown> {
    try {
      const url = URL.parse(this.#plain.getUri(this.#config as never))
      const isOurs = url !== null && this.#tokens.mayGoTo(url)
      return withConfig(
        isOurs && !this.#isLeftAlone() ? await this.#withToken(url) : await this.#sendOnce({}),
        shown,
      )
    } catch (error) {
      throw withConfig(error, shown)
    }
  }

  async #withToken(url: URL): Promise<unknown> {
    const tokens = this.#tokens
    const { data } = this.#config
    const signal = this.#config.signal instanceof AbortSignal ? this.#config.signal : undefined
    try {
      const token = await tokens.get(signal)
      const answer = await settled(this.#sendTo(url, token.headers))
      const { response } = answer
      if (response === undefined || !tokens.isRefusal(response.status, challengesOf(response)))
        return answer.unwrap()
      if (!tokens.isReplayable(bodySize(data))) {
        tokens.drop(token)
        return answer.unwrap()
      }
      const again = await tokens.replace(token, signal)
      if (again === undefined) return answer.unwrap()
      discard(response.data)
      return await this.#sendTo(url, again.headers)
    } catch (error) {
      // axios says in its own way that a caller has left; nothing is sent.
      if (signal?.aborted && error === signal.reason) return this.#sendOnce({})
      throw error
    }
  }

  #sendTo(url: URL, tokenHeaders: Readonly<Record<string, string>>): Promise<unknown> {
    const { headers, auth } = this.#config
    const others = Object.entries(headers).filter(
      ([name]) => !Object.hasOwn(tokenHeaders, name.toLowerCase()),
    )
    return this.#sendOnce({
      // What was judged is what is sent.
      url: url.href,
      baseURL: '',
      params: undefined,
      headers: Object.fromEntries([...others, ...Object.entries(tokenHeaders)]),
      // It would take the place of the authorization header.
      auth: Object.hasOwn(tokenHeaders, 'authorization') ? undefined : auth,
      // What follows redirects takes mapped headers along.
      maxRedirects: 0,
    })
  }

  #sendOnce(changes: object): Promise<unknown> {
    // Both were transformed, or will be, by the call around this one.
    const asItIs = { transformRequest: [], transformResponse: [] }
    return this.#plain.request({ ...this.#config, ...changes, ...asItIs } as never)
  }

  #isLeftAlone(): boolean {
    const { headers, auth } = this.#config
    const set = Object.entries(headers).filter(
      ([, value]) => value !== undefined && value !== null && value !== false,
    )
    const names = new Set(set.map(([name]) => name.toLowerCase()))
    if (auth) names.add('authorization')
    return this.#tokens.leaveAlone(name => names.has(name))
  }
}

interface Settled {
  readonly response: AxiosResponse | undefined
  /** The response, or the error that axios made of it. */
  unwrap(): unknown
}

/** A status is an error or not by the caller's `validateStatus`. */
async function settled(sent: Promise<unknown>): Promise<Settled> {
  try {
    const response = (await sent) as AxiosResponse
    return { response, unwrap: () => response }
  } catch (error) {
    return {
      response: (error as { response?: AxiosResponse }).response,
      unwrap() {
        throw error
      },
    }
  }
}

function challengesOf({ headers }: AxiosResponse): string {
  return [(headers as Record<string, unknown>)['www-authenticate'] ?? []].flat().join(', ')
}

/** Lets go of a response that was asked for as a stream. */
function discard(data: unknown): void {
  const stream = data as { destroy?: () => void; cancel?: () => Promise<void> } | null
  if (typeof stream?.destroy === 'function') stream.destroy()
  else if (typeof stream?.cancel === 'function') stream.cancel().catch(() => {})
}

/** A response or an error with the configuration of the caller, and without the token in what logs show. */
function withConfig<T>(outcome: T, config: AxiosConfig): T {
  const { response } = outcome as { response?: unknown }
  for (const shown of [outcome, response]) {
    if (typeof shown !== 'object' || shown === null || !('config' in shown)) continue
    shown.config = config
    if (!('request' in shown)) continue
    const { request } = shown
    Object.defineProperty(shown, 'request', {
      value: request,
      enumerable: false,
      writable: true,
      configurable: true,
    })
  }
  return outcome
}
