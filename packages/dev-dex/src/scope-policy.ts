import type { Answer } from './answer.ts'
import { isTrusted, peerOfScope } from './audience-scopes.ts'
import type { DexClient } from './dex-client.ts'
import { goQuotedList } from './go-text.ts'
import { oauthErrorAnswer } from './oauth-error.ts'

/** Which scopes a grant allows beside those that name a peer. */
export interface ScopePolicy {
  readonly allowed: ReadonlySet<string>
  /** Scopes that are refused by name, each with the text of its refusal. */
  readonly refused?: ReadonlyMap<string, string>
  readonly requiresOpenid?: boolean
  /** The OAuth error of every refusal. */
  readonly error: string
}

/** Dex's answer to scopes that the grant does not allow, or `undefined` when all are fine. */
export function refuseScopes(
  policy: ScopePolicy,
  clients: ReadonlyMap<string, DexClient>,
  clientId: string,
  scopes: readonly string[],
): Answer | undefined {
  const refuse = (description: string) => oauthErrorAnswer(400, policy.error, description)
  const unrecognized: string[] = []
  const untrusted: string[] = []
  for (const scope of scopes) {
    const refusal = policy.refused?.get(scope)
    if (refusal !== undefined) return refuse(refusal)
    if (policy.allowed.has(scope)) continue
    const peerId = peerOfScope(scope)
    if (peerId === undefined) unrecognized.push(scope)
    else if (!isTrusted(clients, clientId, peerId)) untrusted.push(scope)
  }
  if (policy.requiresOpenid && !scopes.includes('openid')) {
    return refuse('Missing required scope(s) ["openid"].')
  }
  if (unrecognized.length > 0) return refuse(`Unrecognized scope(s) ${goQuotedList(unrecognized)}`)
  if (untrusted.length > 0) return refuse(`Client can't request scope(s) ${goQuotedList(untrusted)}`)
  return undefined
}
