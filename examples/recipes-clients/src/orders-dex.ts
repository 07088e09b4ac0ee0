import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, jwtVerify } from 'jose'

export const clientSecret = 'reports-secret'

/** Starts a Dex whose client `reports` may call an API with the audience `orders`. */
export function startOrdersDex(options: DevDexOptions = {}): Promise<DevDex> {
  return startDevDex({
    clients: [
      { id: 'reports', secret: clientSecret },
      { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
    ],
    ...options,
  })
}

/** Tells whether an API for `orders` accepts a token, by Dex's keys. */
export function acceptsTokensOf(dex: DevDex): (token: string) => Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(dex.jwksUri), { cooldownDuration: 0 })
  return token =>
    jwtVerify(token, keys, { issuer: dex.issuer, audience: 'orders' }).then(
      () => true,
      () => false,
    )
}
