import { optionRules } from '@broker/core/options'
import { setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Listeners'

/** The variables of the group "Listeners". */
export const listenerVariables = {
  LISTEN_ADDR: setting('listen', {
    group,
    kind: kind.address,
    rule: { default: { port: 8080 } },
    needsRestart: true,
    description:
      'Address of the check listener, which Envoy calls. A host name stands for every address that it resolves to.',
  }),
  ADMIN_ADDR: setting('admin', {
    group,
    kind: kind.addressOrOff,
    rule: { default: { port: 8081 } },
    needsRestart: true,
    description:
      'Address of the admin listener with `/healthz`, `/readyz` and `/metrics`; `off` disables it. A port in use stops the start only if this is set.',
  }),
  ADMIN_PAGE: setting('adminPage', {
    group,
    kind: kind.oneOf('loopback', 'on', 'off'),
    rule: { default: 'loopback' },
    example: 'off',
    description:
      'Access to the status page, `/` on the admin listener, and to `/log-level`. `loopback`: requests from this host and through `kubectl port-forward`; `on`: everybody who reaches the listener; `off`: nobody. The page has no secret and no token, but names clients, issuers and settings.',
  }),
  GRPC_LISTEN_ADDR: setting('grpc', {
    group,
    kind: kind.addressOrOff,
    rule: { default: 'off' },
    needsRestart: true,
    example: ':8082',
    description:
      'Address of the gRPC listener, which Envoy calls with `grpc_service`: HTTP/2, with health and reflection; `off` disables it.',
  }),
  GRPC_MAX_CONNECTION_AGE: setting('grpcMaxConnectionAgeMs', {
    group,
    kind: kind.duration,
    rule: { default: 1_800_000, max: optionRules.requestTimeoutMs.max },
    needsRestart: true,
    description:
      'Age at which a gRPC connection is replaced, without losing a check, so that load spreads to new replicas; varied by a tenth. 0: never.',
  }),
  GRPC_DYNAMIC_METADATA: setting('grpcDynamicMetadata', {
    group,
    kind: kind.boolean,
    rule: { default: true },
    needsRestart: true,
    description:
      'Sends facts about each check to Envoy over gRPC, for its access log: `rule`, `client`, `issuer`, `subject`, `expires_at` (seconds since 1970) and `cache`. Never a token or a secret.',
  }),
  SHUTDOWN_TIMEOUT: setting('shutdownTimeoutMs', {
    group,
    kind: kind.durationOrDefault,
    rule: { default: 10_000, max: optionRules.requestTimeoutMs.max },
    description: 'How long a stop waits for running checks.',
  }),
} satisfies Readonly<Record<string, Variable>>
