/** A configuration that is enough for its purpose. */
export interface MinimalConfiguration {
  readonly title: string
  readonly purpose: string
  readonly variables: Readonly<Record<string, string>>
}

const issuer = { DEX_ISSUER: 'https://dex.example.com/dex' }
const identity = { STATIC_CLIENT_ID: 'reports', STATIC_CLIENT_SECRET: 'change-me', STATIC_SCOPE: 'groups' }

/** The first examples of docs/configuration.md; a test loads each, and none may warn. */
export const minimalConfigurations: readonly MinimalConfiguration[] = [
  {
    title: 'Callers bring client id and secret',
    purpose: 'A token for the client of each caller, from `x-client-id` and `x-client-secret`.',
    variables: issuer,
  },
  {
    title: "Callers bring a JWT of Dex; the client is the broker's",
    purpose:
      'Callers need a JWT of this Dex whose `aud` has `my-service`. All get the token of the same client.',
    variables: { ...issuer, JWT_AUDIENCE: 'my-service', ...identity },
  },
  {
    title: "Callers bring a JWT of another issuer; the client is the broker's",
    purpose: 'As above, with the issuer and the key set of the JWTs.',
    variables: {
      ...issuer,
      JWKS_URL: 'https://auth.example.com/.well-known/jwks.json',
      JWT_ISSUER: 'https://auth.example.com',
      JWT_AUDIENCE: 'my-service',
      ...identity,
    },
  },
  {
    title: 'Callers bring nothing',
    purpose: 'Every request that reaches the check listener gets the token of this client.',
    variables: { ...issuer, ...identity, ALLOW_UNAUTHENTICATED_CALLERS: 'true' },
  },
  {
    title: 'Dex has another address inside the network',
    purpose:
      'Only where `DEX_ISSUER` cannot be reached from the broker. With a JWT gate for JWTs of Dex, set `JWT_ISSUER` too.',
    variables: {
      DEX_TOKEN_URL: 'https://dex.internal.example.com/dex/token',
      DEX_JWKS_URL: 'https://dex.internal.example.com/dex/keys',
    },
  },
]
