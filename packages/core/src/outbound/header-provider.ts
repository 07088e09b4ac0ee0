import type { Wait } from '../shared/wait-for.ts'
import { type OutgoingTokenOptions, OutgoingTokens, type TokenProvider } from './outgoing-tokens.ts'

export type HeaderProviderOptions = Pick<OutgoingTokenOptions, 'allow' | 'token'>

/**
 * Makes a function from a URL to the headers of the token for it, for clients that take headers only, as axios and got
 * do in their hooks: no headers for a URL outside `allow` and for the token endpoint.
 *
 * Ask anew for each call, the token changes. It rejects with `TypeError` for what is no absolute URL, with `BrokerError`, or with the reason of the caller's own abort;
 * let that stop the call. The client must follow no redirect by itself: it would take mapped headers along. Throws a
 * `TypeError` that names the wrong option.
 */
export function headerProvider(
  broker: TokenProvider,
  options: HeaderProviderOptions,
): (url: string | URL, wait?: Pick<Wait, 'signal'>) => Promise<Record<string, string>> {
  const tokens = new OutgoingTokens(broker, options, ['allow', 'token'])
  return async (url, { signal } = {}) => {
    const target = URL.parse(String(url))
    if (target === null) throw new TypeError('url must be an absolute URL')
    if (!tokens.mayGoTo(target)) return {}
    const { headers } = await tokens.get(signal)
    return { ...headers }
  }
}
