import type { Answer } from './answer.ts'
import type { DexClient } from './dex-client.ts'
import { goQuotedList } from './go-text.ts'
import { oauthErrorAnswer } from './oauth-error.ts'

const audiencePrefix = 'audience:server:client_id:'
const standardScopes = new Set(['openid', 'email', 'profile', 'groups'])
const refusedScopes = new Set(['offline_access', 'federated:id'])

/** The client that a cross-client scope names, or `undefined` for any other scope. */
function peerOfScope(scope: string): string | undefined {
  return scope.startsWith(audiencePrefix) ? scope.slice(audiencePrefix.length) : undefined
}

function isTrusted(clients: ReadonlyMap<string, DexClient>, clientId: string, peerId: string): boolean {
  return peerId === clientId || (clients.get(peerId)?.trustedPeers ?? []).includes(clientId)
}

/** Dex's answer to scopes that the grant does not allow, or `undefined` when all are fine. */
export function refuseScopes(
  clients: ReadonlyMap<string, DexClient>,
  clientId: string,
  scopes: readonly string[],
): Answer | undefined {
  const unrecognized: string[] = []
  const untrusted: string[] = []
  for (const scope of scopes) {
    if (refusedScopes.has(scope)) {
      return invalidScope(`client_credentials grant does not support ${scope} scope.`)
    }
    if (standardScopes.has(scope)) continue
    const peerId = peerOfScope(scope)
    if (peerId === undefined) unrecognized.push(scope)
    else if (!isTrusted(clients, clientId, peerId)) untrusted.push(scope)
  }
  if (unrecognized.length > 0) return invalidScope(`Unrecognized scope(s) ${goQuotedList(unrecognized)}`)
  if (untrusted.length > 0) return invalidScope(`Client can't request scope(s) ${goQuotedList(untrusted)}`)
  return undefined
}

function invalidScope(description: string): Answer {
  return oauthErrorAnswer(400, 'invalid_scope', description)
}

/** The audience of a token: the peers asked for, then the client itself unless it was among them. */
export function audienceOfScopes(clientId: string, scopes: readonly string[]): readonly string[] {
  const peers = scopes.map(peerOfScope).filter(peer => peer !== undefined)
  return peers.includes(clientId) ? peers : [...peers, clientId]
}
