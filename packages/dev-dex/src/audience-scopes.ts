import type { DexClient } from './dex-client.ts'

const audiencePrefix = 'audience:server:client_id:'

/** The client that a cross-client scope names, or `undefined` for any other scope. */
export function peerOfScope(scope: string): string | undefined {
  return scope.startsWith(audiencePrefix) ? scope.slice(audiencePrefix.length) : undefined
}

/** Whether a client may ask for a peer as an audience: its own self, or one that trusts it. */
export function isTrusted(
  clients: ReadonlyMap<string, DexClient>,
  clientId: string,
  peerId: string,
): boolean {
  return peerId === clientId || (clients.get(peerId)?.trustedPeers ?? []).includes(clientId)
}

/** The audience of a token: the peers asked for, then the client itself unless it was among them. */
export function audienceOfScopes(clientId: string, scopes: readonly string[]): readonly string[] {
  const peers = scopes.map(peerOfScope).filter(peer => peer !== undefined)
  return peers.includes(clientId) ? peers : [...peers, clientId]
}
