import { type DevDex, startDevDex } from '@broker/dev-dex'

/** The audience of the JWTs that callers bring. */
export const callersAudience = 'orders'

/** The issuer of the callers' JWTs: never the Dex that issues the broker's tokens. */
export interface CallersIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly jwksUri: string
  /** A JWT that the gate accepts, unless the claims say otherwise. */
  jwt(claims?: Readonly<Record<string, unknown>>): string
  readonly switches: DevDex
}

export async function startCallersIssuer(): Promise<CallersIssuer> {
  const switches = await startDevDex({ issuerPath: '/callers' })
  const { issuer, jwksUri } = switches
  return {
    issuer,
    jwksUri,
    jwt(claims) {
      const now = Math.floor(Date.now() / 1000)
      return switches.signJwt({
        iss: issuer,
        aud: callersAudience,
        sub: 'alice',
        iat: now,
        exp: now + 600,
        ...claims,
      })
    },
    switches,
    [Symbol.asyncDispose]: () => switches.close(),
  }
}
