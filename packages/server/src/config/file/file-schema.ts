import { optionRules } from '@broker/core/options'
import * as z from 'zod'
import { parseIssuer } from '../values/endpoint-url.ts'
import { parseMilliseconds } from '../values/milliseconds.ts'
import { quoteUrl } from '../values/quote-url.ts'
import { Refusal } from '../values/refusal.ts'
import { authenticationSchema } from './authentication-schema.ts'
import {
  clientIds,
  extraParams,
  key,
  list,
  name,
  parsed,
  peer,
  resources,
  scope,
  strings,
  text,
  url,
} from './file-values.ts'
import { ruleSchema } from './rule-schema.ts'
import { settingsSchema } from './settings-schema.ts'

/** The version of the file's keys. */
export const apiVersion = 'dex-token-broker/v1'

const kubernetesSchema = z.strictObject({
  server: key(
    parsed(
      value => {
        parseIssuer(value)
        if (!/^https:/i.test(value))
          throw new Refusal(`${quoteUrl(value)} is not https; the broker sends it a token`)
      },
      { pattern: '^https://' },
    ),
    'URL of the Kubernetes API server, https only. Default: the one of the pod, `https://kubernetes.default.svc`.',
    'https://10.0.0.1:6443',
  ).optional(),
  caFile: key(
    text(4_096),
    "PEM file with the certificates of the API server, read for each request; no others are trusted. Default: the one of the pod's service account.",
    '/etc/dex-token-broker/cluster-ca.crt',
  ).optional(),
  tokenFile: key(
    text(4_096),
    "File with a bearer token for the API server, read for each request. Default: the one of the pod's service account.",
    '/var/run/secrets/kubernetes.io/serviceaccount/token',
  ).optional(),
})

export const issuerSchema = z.strictObject({
  name: key(name, 'Unique name, `caller.issuer` in rules.', 'staff'),
  issuer: key(
    parsed(parseIssuer, { pattern: '^https?://' }),
    'The `iss` of the JWTs, compared exactly. Required without `discoveryUrl` and `kubernetes`; default: the issuer that discovery names.',
    'https://idp.example.com',
  ).optional(),
  discoveryUrl: key(
    url,
    'URL of the discovery document. Default: `issuer` followed by `/.well-known/openid-configuration`.',
    'https://idp.internal.example.com/.well-known/openid-configuration',
  ).optional(),
  jwksUri: key(url, 'URL of the key set. Default: discovered.', 'https://idp.example.com/keys').optional(),
  tokenEndpoint: key(
    url,
    'URL of the token endpoint, for clients that name this issuer as their `dex`. Default: discovered.',
    'https://dex.example.com/dex/token',
  ).optional(),
  audiences: key(
    strings,
    'Accepted audiences: `aud` must contain one of them. Default: any, which also admits JWTs for other services. Required with `kubernetes`.',
    ['orders'],
  ).optional(),
  isDex: key(
    z.boolean(),
    'Whether the issuer is Dex, so that its client_credentials tokens are machines. Default: true for `DEX_ISSUER`, with `machineAudiences`, and for the `dex` of a client.',
    true,
  ).optional(),
  machineAudiences: key(
    z.union([z.literal('any'), clientIds]),
    "Audiences accepted of machines in addition to `audiences`: `any`, or a list. Dex issues a machine's token for its own client id. Default: none.",
    'any',
  ).optional(),
  algorithms: key(
    list(z.enum(optionRules['gate.algorithms'].values)),
    `Accepted algorithms. Default: ${optionRules['gate.algorithms'].default.join(', ')}.`,
    ['RS256', 'PS256'],
  ).optional(),
  clockTolerance: key(
    parsed(value => parseMilliseconds(value, { min: 0, max: optionRules['gate.clockToleranceMs'].max })),
    'Tolerated clock difference for `exp` and `nbf`, as in Go. Default: `JWT_CLOCK_TOLERANCE`.',
    '30s',
  ).optional(),
  groupsClaim: key(
    text(256),
    "The claim with the caller's groups, a list of strings or one string. Default: `groups`.",
    'roles',
  ).optional(),
  caFile: key(
    text(4_096),
    "PEM file with certificates to trust for this issuer, in addition to the system's. Read again when it changes.",
    '/etc/dex-token-broker/idp-ca.crt',
  ).optional(),
  kubernetes: key(
    kubernetesSchema,
    'Makes the issuer a Kubernetes cluster: its service account tokens are callers. `{}` is the cluster of the pod. Excludes `discoveryUrl`, `jwksUri`, `tokenEndpoint`, `isDex`, `machineAudiences` and `caFile`.',
    {},
  ).optional(),
})

const secretSchema = z
  .strictObject({
    env: key(
      z.string().min(1, 'must not be empty'),
      'Name of the environment variable with the secret. Another secret needs a restart.',
      'REPORTS_SECRET',
    ).optional(),
    file: key(
      text(4_096),
      'Path of the file with the secret, read again when it changes; a line break at its end does not count.',
      '/run/secrets/reports',
    ).optional(),
  })
  .meta({ oneOf: [{ required: ['env'] }, { required: ['file'] }] })

export const clientSchema = z
  .strictObject({
    name: key(name, 'Unique name, for rules. `default` and `caller` are reserved.', 'reports'),
    clientId: key(text(optionRules['client.clientId'].maxLength), 'The client id in Dex.', 'reports'),
    clientSecret: key(
      secretSchema,
      'The source of the client secret, `env` or `file`. A secret in the configuration file itself is refused. Required without `authentication`.',
      { file: '/run/secrets/reports' },
    ).optional(),
    authentication: key(
      authenticationSchema,
      'Authentication without a secret, in place of `clientSecret` and `authMethod`.',
      { method: 'private_key_jwt', keyFile: '/run/secrets/reports.key' },
    ).optional(),
    scope: key(scope, 'Scopes to request, separated by blanks. Default: none.', 'groups').optional(),
    audiences: key(
      list(peer),
      "Client ids of the services that accept the tokens. Each is requested as Dex's scope `audience:server:client_id:<id>`. Default: none.",
      ['orders'],
    ).optional(),
    resource: key(
      resources,
      'Services for which the tokens are meant: absolute URIs without a fragment, each sent as a parameter `resource` (RFC 8707). Dex ignores them. Default: none.',
      ['https://orders.example.com'],
    ).optional(),
    extraParams: key(
      extraParams,
      'Additional parameters of each token request and exchange, for servers other than Dex. No parameter that the broker sends itself. Not for secrets. Default: none.',
      { audience: 'https://orders.example.com' },
    ).optional(),
    authMethod: key(
      z.enum(optionRules.clientAuthMethod.values),
      'How the client id and secret are sent to Dex. Default: `CLIENT_AUTH_METHOD`.',
      'client_secret_post',
    ).optional(),
    dex: key(
      z.string(),
      'Name of the issuer whose token endpoint issues the tokens. Default: the Dex of `DEX_ISSUER` and `DEX_TOKEN_URL`.',
      'dex',
    ).optional(),
  })
  .refine(({ clientSecret, authentication }) => clientSecret !== undefined || authentication !== undefined, {
    path: ['clientSecret'],
    message: 'is missing; it is optional only with authentication',
    // Beside other faults too, so that all of them are told at once.
    when: ({ value }) => typeof value === 'object' && value !== null,
  })
  // Both at once are refused later, in a sentence.
  .meta({ anyOf: [{ required: ['clientSecret'] }, { required: ['authentication'] }] })

/** The whole configuration file. Its `settings` follow from the table of variables. */
export const fileSchema = z
  .strictObject({
    apiVersion: key(
      z.literal(apiVersion),
      "Version of the file's keys. May be omitted.",
      apiVersion,
    ).optional(),
    settings: key(
      settingsSchema(),
      'Environment variables with their values. A variable that is set in the environment wins. Secrets are refused here.',
      { HTTP_TIMEOUT: '3s' },
    ).optional(),
    issuers: key(
      list(issuerSchema),
      "Issuers of callers' JWTs; the `iss` of a JWT selects one. Enables the JWT gate.",
      [{ name: 'staff', issuer: 'https://idp.example.com', audiences: ['orders'] }],
    ).optional(),
    clients: key(list(clientSchema), 'Clients of Dex whose tokens rules hand out.', [
      { name: 'reports', clientId: 'reports', clientSecret: { file: '/run/secrets/reports' } },
    ]).optional(),
    rules: key(
      list(ruleSchema),
      'Rules in order: the first one that matches decides, and no match is 403. Default: every admitted request gets the token of the default client.',
      [{ name: 'staff', when: 'caller.issuer == "staff"', client: 'reports' }],
    ).optional(),
  })
  .meta({ title: 'dex-token-broker configuration file' })

export type IssuerDefinition = z.infer<typeof issuerSchema>
export type ClientDefinition = z.infer<typeof clientSchema>
export type FileDefinition = z.infer<typeof fileSchema>
