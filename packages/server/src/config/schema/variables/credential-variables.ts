import { option, secretOption, setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Credentials'

/** The variables of the group "Credentials". */
export const credentialVariables = {
  STATIC_CLIENT_ID: option('client.clientId', {
    group,
    kind: kind.text,
    example: 'reports',
    description:
      "Static client id; overrides the caller's header. Required with a JWT gate, unless the configuration file has rules.",
  }),
  STATIC_CLIENT_SECRET: secretOption('client.clientSecret', {
    group,
    kind: kind.text,
    example: 'change-me',
    description: "Static client secret; overrides the caller's header.",
  }),
  ALLOW_UNAUTHENTICATED_CALLERS: setting('allowUnauthenticatedCallers', {
    group,
    kind: kind.boolean,
    rule: { default: false },
    description:
      'Lets every caller that reaches the check listener have a token by the static secret. Required where the configuration suggests a JWT gate but enables none: DEX_ISSUER is set, or a gate variable is empty or misspelt.',
  }),
  STATIC_SCOPE: option('client.scope', {
    group,
    kind: kind.scope,
    example: 'openid email profile groups',
    description:
      "Static scope; overrides the caller's header. Without it, callers choose the scope, even with a static client.",
  }),
  STATIC_AUDIENCES: option('client.audiences', {
    group,
    kind: kind.tokenAudiences,
    example: 'orders,billing',
    description:
      "Client ids of the services that accept the tokens. Each is requested as Dex's scope `audience:server:client_id:<id>`.",
  }),
  ALLOWED_CLIENT_IDS: option('allowedClientIds', {
    group,
    kind: kind.names,
    example: 'reports,billing',
    description: 'Client ids that callers may use in their own headers; others receive 403. Default: any.',
  }),
  ALLOWED_SCOPES: option('allowedScopes', {
    group,
    kind: kind.names,
    example: 'openid groups',
    description: 'Scopes that callers may request in their own headers; others receive 403. Default: any.',
  }),
  CLIENT_ID_HEADER: option('credentialHeaders.clientId', {
    group,
    kind: kind.header,
    description: "Header with the caller's client id.",
  }),
  CLIENT_SECRET_HEADER: option('credentialHeaders.clientSecret', {
    group,
    kind: kind.header,
    description: "Header with the caller's client secret.",
  }),
  SCOPE_HEADER: option('credentialHeaders.scope', {
    group,
    kind: kind.header,
    description: "Header with the caller's scope.",
  }),
  ACCEPT_BASIC: option('credentialHeaders.basic', {
    group,
    kind: kind.boolean,
    description:
      "Takes the caller's client id and secret from `Authorization: Basic` too, both form-encoded as for Dex (RFC 6749 section 2.3.1). The header then counts as a credential header. With a JWT gate, JWT_HEADER must be another header.",
  }),
  ALLOW_JOINED_HEADERS: option('credentialHeaders.allowJoined', {
    group,
    kind: kind.boolean,
    description:
      'Accepts a comma in credential headers over gRPC where Envoy joins repeated headers, that is without `encode_raw_headers`; otherwise 400, because the broker cannot tell two joined values from one. Prefer `encode_raw_headers`.',
  }),
  ALLOW_ROUTE_CLIENTS: option('routeClients', {
    group,
    kind: kind.boolean,
    description:
      'Lets a route choose the client over gRPC, by `client`, `scope` and `audiences` in its `context_extensions`; rules override it. Only Envoy may reach the gRPC listener then. Without a JWT gate it needs ALLOW_UNAUTHENTICATED_CALLERS.',
  }),
  STRIP_CREDENTIAL_HEADERS: option('credentialHeaders.strip', {
    group,
    kind: kind.boolean,
    description:
      "Makes Envoy remove the caller's credential headers and JWT before the request reaches the backend.",
  }),
} satisfies Readonly<Record<string, Variable>>
