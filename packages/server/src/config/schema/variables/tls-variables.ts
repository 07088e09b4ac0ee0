import { clientNames, privateKeyFile } from '../tls-kinds.ts'
import { optionalSetting, type Variable } from '../variable.ts'
import { caFile } from '../variable-kinds.ts'

const group = 'TLS'

/** The variables of the group "TLS". */
export const tlsVariables = {
  TLS_CERT_FILE: optionalSetting('tlsCertificate', {
    group,
    kind: caFile,
    needsRestart: true,
    example: '/run/tls/tls.crt',
    description:
      'Certificate of the check and gRPC listeners, with its chain behind it; turns TLS on, version 1.2 or newer. Read again when the file changes, without losing a connection. Together with TLS_KEY_FILE.',
  }),
  TLS_KEY_FILE: optionalSetting('tlsKey', {
    group,
    kind: privateKeyFile,
    needsRestart: true,
    example: '/run/tls/tls.key',
    description: 'Private key of TLS_CERT_FILE, without a passphrase. Read again when the file changes.',
  }),
  TLS_CLIENT_CA_FILE: optionalSetting('tlsClientCa', {
    group,
    kind: caFile,
    needsRestart: true,
    example: '/run/tls/ca.crt',
    description:
      'Authorities of client certificates; turns mutual TLS on: a caller of the check or gRPC listener needs a certificate of one of them. Read again when the file changes; applies to new connections.',
  }),
  TLS_CLIENT_SANS: optionalSetting('tlsClientNames', {
    group,
    kind: clientNames,
    needsRestart: true,
    example: 'spiffe://cluster.local/ns/envoy/sa/envoy',
    description:
      "Callers that may connect, by the URI or DNS names (subject alternative names) of their certificates, compared exactly. Default: every certificate of TLS_CLIENT_CA_FILE. Others' connections are closed after the handshake.",
  }),
  ADMIN_TLS_CERT_FILE: optionalSetting('adminTlsCertificate', {
    group,
    kind: caFile,
    needsRestart: true,
    example: '/run/tls/tls.crt',
    description: 'Like TLS_CERT_FILE, for the admin listener, which is without TLS by default.',
  }),
  ADMIN_TLS_KEY_FILE: optionalSetting('adminTlsKey', {
    group,
    kind: privateKeyFile,
    needsRestart: true,
    example: '/run/tls/tls.key',
    description: 'Private key of ADMIN_TLS_CERT_FILE.',
  }),
  ADMIN_TLS_CLIENT_CA_FILE: optionalSetting('adminTlsClientCa', {
    group,
    kind: caFile,
    needsRestart: true,
    example: '/run/tls/ca.crt',
    description:
      'Like TLS_CLIENT_CA_FILE, for the admin listener. A kubelet has no client certificate, so its probes then fail.',
  }),
  DEX_CLIENT_CERT_FILE: optionalSetting('dexClientCertificate', {
    group,
    kind: caFile,
    example: '/run/dex-tls/tls.crt',
    description:
      'Client certificate for Dex, or for a proxy in front of it that asks for one. Read again when the file changes. Together with DEX_CLIENT_KEY_FILE.',
  }),
  DEX_CLIENT_KEY_FILE: optionalSetting('dexClientKey', {
    group,
    kind: privateKeyFile,
    example: '/run/dex-tls/tls.key',
    description: 'Private key of DEX_CLIENT_CERT_FILE, without a passphrase.',
  }),
} satisfies Readonly<Record<string, Variable>>
