import type { OidcConnector } from './dex-connector.ts'
import type { OpenConnector } from './open-connector.ts'
import { idTokenType, type TokenType } from './token-type.ts'
import { identityOfClaims } from './upstream-identity.ts'
import { UpstreamIssuer, type UpstreamSurroundings } from './upstream-issuer.ts'
import type { VerifiedClaims } from './verify-id-token.ts'

/** Opens a connector to another OpenID provider; rejects when the provider cannot be discovered. */
export async function openOidcConnector(
  connector: OidcConnector,
  surroundings: UpstreamSurroundings,
): Promise<OpenConnector> {
  const upstream = await UpstreamIssuer.discover(connector.issuer, surroundings)

  async function readClaims(type: TokenType, token: string): Promise<VerifiedClaims | undefined> {
    // Userinfo is what proves an access token, so without it there is nothing to go by.
    const claims = type === idTokenType ? await upstream.verifyIdToken(token) : {}
    if (claims === undefined || !connector.getUserInfo) return claims
    return { ...claims, ...(await upstream.userinfo(token)) }
  }

  return {
    async tokenIdentity(type, token) {
      // A provider that fails and a token that is not good look the same in Dex's answer.
      const claims = await readClaims(type, token).catch(() => undefined)
      return claims && identityOfClaims(claims, connector)
    },
  }
}
