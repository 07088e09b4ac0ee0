import * as z from 'zod'
import { clientIds, key, list, peer, scope, strings } from './file-values.ts'

const exchangeSchema = z.strictObject({
  connectorId: key(
    z.string().regex(/^[ -~]{1,256}$/, 'must be 1 to 256 characters of printable ASCII'),
    "The id of the connector in Dex whose provider issued the caller's JWT.",
    'staff',
  ),
  client: key(
    z.string(),
    'The client that requests the exchange: a name in `clients`, or `default` for the client of the variables.',
    'reports',
  ),
  scope: key(
    scope,
    "Scopes in place of the client's. Dex adds a claim only with its scope: `email`, `profile`, `groups`.",
    'openid email profile groups',
  ).optional(),
  audiences: key(list(peer), "Audiences in place of the client's.", ['orders']).optional(),
  subjectTokenType: key(
    z.enum(['id_token', 'access_token']),
    "Type of the caller's JWT. For `access_token`, the connector asks its provider's userinfo endpoint, so it needs `getUserInfo: true`. Default: `id_token`.",
    'access_token',
  ).optional(),
})

export const ruleSchema = z
  .strictObject({
    name: key(
      z.string().regex(/^[ -~]{1,128}$/, 'must be 1 to 128 characters of printable ASCII'),
      'Unique name, for the log.',
      'nightly jobs',
    ),
    when: key(
      z.string().min(1, 'must not be empty'),
      'CEL expression; the first rule for which it is true decides.',
      'caller.issuer == "staff"',
    ),
    client: key(
      z.string(),
      "The client whose token the request gets: a name in `clients`; `default` for the client of the variables; `caller` for the credentials in the caller's own headers.",
      'reports',
    ).optional(),
    scope: key(scope, "Scopes in place of the client's.", 'groups').optional(),
    audiences: key(list(peer), "Audiences in place of the client's.", ['orders']).optional(),
    allowedClientIds: key(
      clientIds,
      'With `client: caller`: the client ids that may be used. Default: `ALLOWED_CLIENT_IDS`.',
      ['reports'],
    ).optional(),
    allowedScopes: key(
      strings,
      'With `client: caller`: the scopes that may be requested. Default: `ALLOWED_SCOPES`.',
      ['groups'],
    ).optional(),
    exchange: key(
      exchangeSchema,
      "Exchanges the caller's JWT for a Dex token of the same user (RFC 8693). Needs a gate.",
      { connectorId: 'staff', client: 'reports' },
    ).optional(),
    pass: key(z.literal(true), "Passes the request on with the caller's own JWT.", true).optional(),
    deny: key(
      z.string().regex(/^[ -~]{1,256}$/, 'must be 1 to 256 characters of printable ASCII'),
      'Refuses the request with 403 and this reason.',
      'the billing service is for machines only',
    ).optional(),
    set: key(
      z.record(z.string(), z.string().min(1, 'must not be empty')),
      'Request headers for the backend, each with a CEL expression that yields its value. A header that any rule sets is removed when the chosen rule does not set it.',
      { 'x-caller': 'caller.subject' },
    ).optional(),
  })
  .meta({
    oneOf: [
      { required: ['client'] },
      { required: ['exchange'] },
      { required: ['pass'] },
      { required: ['deny'] },
    ],
  })

export type RuleDefinition = z.infer<typeof ruleSchema>
