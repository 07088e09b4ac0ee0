import type { Wait } from '../shared/wait-for.ts'
import { type OutgoingTokenOptions, OutgoingTokens } from './outgoing-tokens.ts'
import type { TokenProvider } from './token-provider.ts'

/** The options of {@link headerProvider}. */
export type HeaderProviderOptions = Pick<OutgoingTokenOptions, 'allow' | 'token' | 'exchange'>

/**
 * Creates a function that returns the token's headers for a URL, for HTTP clients that accept only headers. It returns no
 * headers for a URL outside `allow` and for the broker's own endpoints.
 *
 * Call it for each request, because the token changes. It rejects with `TypeError` for a URL that is not absolute, with
 * `BrokerError`, or with the reason of the caller's own abort; do not send the request then. The HTTP client must not follow
 * redirects, which would send mapped headers along. Throws a `TypeError` that names a wrong option.
 */
export function headerProvider(
  provider: TokenProvider,
  options: HeaderProviderOptions,
): (url: string | URL, wait?: Pick<Wait, 'signal'>) => Promise<Record<string, string>> {
  const tokens = new OutgoingTokens(provider, options, ['allow', 'token', 'exchange'])
  return async (url, { signal } = {}) => {
    const target = URL.parse(String(url))
    if (target === null) throw new TypeError('url must be an absolute URL')
    if (!tokens.mayGoTo(target)) return {}
    const { headers } = await tokens.forCall(target).get(signal)
    return { ...headers }
  }
}
