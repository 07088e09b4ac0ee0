import { type OutgoingTokenOptions, OutgoingTokens, outgoingTokenOptions } from './outgoing-tokens.ts'
import { refusesToken } from './refuses-token.ts'
import { bodySize } from './request-body.ts'
import type { TokenProvider } from './token-provider.ts'

/** The parts of an axios configuration that are used, as an adapter receives it. */
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

/** The parts of an axios 1 instance that {@link axiosInterceptor} uses. */
export interface AxiosLike {
  /** The request interceptors, to which the interceptor adds itself. */
  readonly interceptors: {
    readonly request: {
      use(
        onFulfilled: (config: unknown) => never,
        onRejected?: null,
        options?: { synchronous?: boolean },
      ): number
    }
  }
  /** Creates the instance that sends the calls with a token. */
  create(): {
    readonly defaults: object
    request(config: never): Promise<unknown>
    getUri(config: never): string
  }
}

type Adapter = (config: AxiosConfig) => Promise<unknown>

/**
 * Creates a function that adds the broker's token to the calls of an axios instance:
 * `axiosInterceptor(broker, { allow })(client)`. Only calls to the origins in `allow` get a token. The function returns the
 * number with which axios can eject the interceptor.
 *
 * Without a token the call rejects with `BrokerError` and nothing is sent. Redirects of calls with a token are not followed.
 * After a 401 the token is replaced and the call is repeated once, if its body is not a stream and at most `maxReplayBytes`
 * long. Responses and errors do not show the token: it is not in `config`, and `request` is not enumerable.
 *
 * Runs after all other interceptors, wherever it is added. Throws a `TypeError` that names a wrong option.
 */
export function axiosInterceptor(
  provider: TokenProvider,
  options: OutgoingTokenOptions,
): (instance: AxiosLike) => number {
  const tokens = new OutgoingTokens(provider, options, outgoingTokenOptions)
  return instance => {
    const plain = plainInstance(instance)
    const ours = new WeakSet<Adapter>()
    const intercept = (config: AxiosConfig): AxiosConfig => {
      const { adapter } = config
      // A call that is repeated with the configuration of an error has the adapter already.
      if (ours.has(adapter as Adapter)) return config
      const own: Adapter = call => new AxiosCall(plain, { ...call, adapter }, tokens).send(call)
      ours.add(own)
      config.adapter = own
      return config
    }
    return instance.interceptors.request.use(intercept as never, null, { synchronous: true })
  }
}

/** Creates an instance without defaults, so that it sends the given configuration unchanged. */
function plainInstance(instance: AxiosLike): ReturnType<AxiosLike['create']> {
  const plain = instance.create()
  for (const name of Object.keys(plain.defaults)) Reflect.deleteProperty(plain.defaults, name)
  return plain
}

/** One call of an instance, with its final configuration. */
class AxiosCall {
  readonly #plain: ReturnType<AxiosLike['create']>
  readonly #config: AxiosConfig
  readonly #tokens: OutgoingTokens

  constructor(plain: ReturnType<AxiosLike['create']>, config: AxiosConfig, tokens: OutgoingTokens) {
    this.#plain = plain
    this.#config = config
    this.#tokens = tokens
  }

  /** Sends the call. `shown` is the configuration that responses and errors show. */
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
      const ofCall = tokens.forCall(url)
      const token = await ofCall.get(signal)
      const answer = await settled(this.#sendTo(url, token.headers))
      const { response } = answer
      if (response === undefined || !refusesToken(response.status, challengesOf(response)))
        return answer.unwrap()
      if (!tokens.isReplayable(bodySize(data))) {
        ofCall.drop(token)
        return answer.unwrap()
      }
      const again = await ofCall.replace(token, signal)
      if (again === undefined) return answer.unwrap()
      discard(response.data)
      return await this.#sendTo(url, again.headers)
    } catch (error) {
      // axios reports the caller's abort in its own way; nothing is sent.
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
      // The URL that was judged is the URL that is sent.
      url: url.href,
      baseURL: '',
      params: undefined,
      headers: Object.fromEntries([...others, ...Object.entries(tokenHeaders)]),
      // It would replace the authorization header.
      auth: Object.hasOwn(tokenHeaders, 'authorization') ? undefined : auth,
      // Following a redirect would send mapped headers along.
      maxRedirects: 0,
    })
  }

  #sendOnce(changes: object): Promise<unknown> {
    // The call around this one transforms both.
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

/** The caller's `validateStatus` decides whether a status is an error. */
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

/** Releases a response that was requested as a stream. */
function discard(data: unknown): void {
  const stream = data as { destroy?: () => void; cancel?: () => Promise<void> } | null
  if (typeof stream?.destroy === 'function') stream.destroy()
  else if (typeof stream?.cancel === 'function') stream.cancel().catch(() => {})
}

/** Puts the caller's configuration into a response or an error and hides the token from logs. */
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
