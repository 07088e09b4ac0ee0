import { optionRules } from '@broker/core/options'
import { option, optionalSetting, setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Dex'

/** The variables of the group "Dex". */
export const dexVariables = {
  DEX_ISSUER: option('issuer', {
    group,
    kind: kind.issuer,
    example: 'https://dex.example.com/dex',
    description:
      "Dex's issuer, exactly as in Dex's configuration. The broker discovers Dex's endpoints from it. Must be https, like DEX_TOKEN_URL.",
  }),
  DEX_TOKEN_URL: option('tokenEndpoint', {
    group,
    kind: kind.url,
    rule: { default: 'https://dex.dex.svc.cluster.local/token' },
    description:
      "Dex's token endpoint; overrides discovery. The default applies only without DEX_ISSUER. Must be https unless the host is loopback or ALLOW_INSECURE_DEX_URL is true.",
  }),
  DEX_JWKS_URL: option('jwksUri', {
    group,
    kind: kind.url,
    example: 'https://dex.example.com/dex/keys',
    description:
      "Dex's own key set; overrides discovery. The broker drops cached tokens whose key has disappeared from it. Does not enable the gate. Set it where Dex has another address than its issuer.",
  }),
  CLIENT_AUTH_METHOD: option('clientAuthMethod', {
    group,
    kind: kind.oneOf(...optionRules.clientAuthMethod.values),
    description: 'How the client id and secret are sent to Dex: in the Authorization header, or in the form.',
  }),
  HTTP_TIMEOUT: option('requestTimeoutMs', {
    group,
    kind: kind.durationOrDefault,
    description:
      'Limit for a token request, including its retries, and for each request for discovery or keys.',
  }),
  DEX_MAX_CONNECTIONS: option('maxConnections', {
    group,
    kind: kind.count,
    description:
      'Concurrent token requests to Dex. Half of them are reserved for clients that Dex has accepted before.',
  }),
  DEX_CA_FILE: optionalSetting('ca', {
    group,
    kind: kind.caFile,
    via: 'transport',
    example: '/etc/dex/ca.crt',
    description:
      "Certificates to trust for Dex and the key set, in addition to the system's. Read again when the file changes.",
  }),
  USE_PROXY_FROM_ENV: setting('useProxyFromEnv', {
    group,
    kind: kind.boolean,
    rule: { default: false },
    needsRestart: true,
    example: 'true',
    description:
      'Sends requests to Dex and to issuers through the proxy in `HTTPS_PROXY` or `HTTP_PROXY`, except for hosts in `NO_PROXY`. Go has the same rules. https goes by CONNECT, so that the proxy sees no secret. Loopback is never proxied. Does not apply to the shared store and to traces.',
  }),
  ALLOW_INSECURE_DEX_URL: option('allowInsecureUrls', {
    group,
    kind: kind.boolean,
    description:
      'Allows http beyond loopback for Dex and the key set. Client secrets then cross the network unencrypted.',
  }),
} satisfies Readonly<Record<string, Variable>>
