import { option, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'JWT gate'

/** The variables of the group "JWT gate". */
export const jwtGateVariables = {
  JWKS_URL: option('gate.jwksUri', {
    group,
    kind: kind.url,
    example: 'https://auth.example.com/.well-known/jwks.json',
    description:
      "Key set that verifies callers' JWTs; with DEX_ISSUER it defaults to Dex's own. Enables the gate. Must be https, like DEX_TOKEN_URL.",
  }),
  JWT_HEADER: option('gate.jwtHeader', {
    group,
    kind: kind.header,
    defaultText: 'Authorization',
    description: 'Header with the caller\'s JWT; a leading "Bearer " is optional.',
  }),
  JWT_ISSUER: option('gate.issuer', {
    group,
    kind: kind.text,
    rule: { maxLength: 2_048 },
    example: 'https://auth.example.com',
    description:
      "Required `iss` claim. Enables the gate; needs JWKS_URL or DEX_ISSUER. Defaults to DEX_ISSUER when Dex's keys verify the JWTs.",
  }),
  JWT_AUDIENCE: option('gate.audience', {
    group,
    kind: kind.jwtAudiences,
    example: 'my-service',
    description:
      'Accepted audiences; a JWT must name one of them in `aud`. Enables the gate; needs JWKS_URL or DEX_ISSUER.',
  }),
  MACHINE_AUDIENCES: option('gate.machineAudiences', {
    group,
    kind: kind.machineAudiences,
    example: 'any',
    description:
      "Audiences accepted of Dex's client_credentials tokens in addition to JWT_AUDIENCE, because Dex issues such a token for its own client id.",
  }),
  JWT_ALGORITHMS: option('gate.algorithms', {
    group,
    kind: kind.jwtAlgorithms,
    example: 'RS256,PS256',
    description:
      "Accepted algorithms of callers' JWTs; it replaces the default list. PS256, PS384, PS512, EdDSA and Ed25519 are accepted only when they are listed. Needs a gate.",
  }),
  GROUPS_CLAIM: option('gate.groupsClaim', {
    group,
    kind: kind.text,
    example: 'roles',
    description: "The claim with the caller's groups, a list of strings or one string.",
  }),
  REQUIRED_GROUPS: option('gate.requiredGroups', {
    group,
    kind: kind.names,
    example: 'engineering',
    description:
      'Groups that a caller must all have; others receive 403. A client_credentials token of Dex has the group `client:<client id>`. Needs a gate.',
  }),
  REQUIRED_SCOPES: option('gate.requiredScopes', {
    group,
    kind: kind.names,
    example: 'orders:read',
    description:
      "Scopes that a caller's JWT must all have in `scope` or `scp`; others receive 403. Needs a gate.",
  }),
  JWT_CLOCK_TOLERANCE: option('gate.clockToleranceMs', {
    group,
    kind: kind.duration,
    example: '30s',
    description: 'Tolerated clock difference between the issuer and the broker for `exp` and `nbf`.',
  }),
  JWT_CACHE_MAX_ENTRIES: option('gate.verifiedJwtsMaxEntries', {
    group,
    kind: kind.count,
    description:
      'Maximum number of verified JWTs to remember, so that a signature is verified once a minute at most; 0 verifies every time.',
  }),
  JWKS_MAX_AGE: option('jwksMaxAgeMs', {
    group,
    kind: kind.duration,
    rule: { min: 1_000 },
    description:
      "Maximum age of a key set before a check waits for a new one; at least 1s. Also without a gate: while tokens are cached, Dex's own key set is fetched at 80 % of this age, and tokens whose key has disappeared are dropped.",
  }),
  JWKS_MAX_STALE: option('gate.jwksMaxStaleMs', {
    group,
    kind: kind.duration,
    description:
      'Maximum age of the key set while its endpoint is down; beyond it, checks fail. At least JWKS_MAX_AGE.',
  }),
} satisfies Readonly<Record<string, Variable>>
