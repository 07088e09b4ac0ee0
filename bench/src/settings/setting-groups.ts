import type { CheckProtocol } from '@broker/testing'

/** One server of a group: our command with these settings. */
export interface Setting {
  readonly title: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether the listener has TLS, and whether it asks for the certificate of the caller. */
  readonly tls?: 'server' | 'mutual'
  /** Whether spans are sent to a collector. */
  readonly collector?: boolean
  /** Whether spans have to arrive at the collector; otherwise none may. */
  readonly sendsSpans?: boolean
  /** Whether the packages of OpenTelemetry are missing. */
  readonly withoutOpenTelemetry?: boolean
}

/** Settings that are compared with the first one. All servers answer the same cached check. */
export interface SettingGroup {
  readonly title: string
  readonly protocol: CheckProtocol
  readonly settings: readonly Setting[]
}

export const settingGroupNames = ['tls', 'grpc-tls', 'access-log', 'traces'] as const
export type SettingGroupName = (typeof settingGroupNames)[number]

const tlsSettings: SettingGroup['settings'] = [
  { title: 'no TLS' },
  { title: 'TLS', tls: 'server' },
  { title: 'mutual TLS', tls: 'mutual' },
]

export const settingGroups: Readonly<Record<SettingGroupName, SettingGroup>> = {
  tls: { title: 'TLS over HTTP, connections kept', protocol: 'http', settings: tlsSettings },
  'grpc-tls': { title: 'TLS over gRPC, connections kept', protocol: 'grpc', settings: tlsSettings },
  'access-log': {
    title: 'access log',
    protocol: 'http',
    settings: (['off', 'refused', 'all'] as const).map(value => ({
      title: `\`ACCESS_LOG=${value}\``,
      environment: { ACCESS_LOG: value },
    })),
  },
  traces: {
    title: 'traces',
    protocol: 'http',
    settings: [
      { title: 'no collector' },
      { title: 'a collector, OpenTelemetry not installed', collector: true, withoutOpenTelemetry: true },
      ...['0', '0.1', '1'].map(ratio => ({
        title: `a collector, ${ratio} of the traces sampled`,
        collector: true,
        sendsSpans: ratio !== '0',
        environment: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio },
      })),
    ],
  },
}
