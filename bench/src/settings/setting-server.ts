import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  brokerCommand,
  type CertificateAuthority,
  type CheckProtocol,
  listeningPorts,
  ManagedProcess,
} from '@broker/testing'
import type { LoadTls } from '../load/load.ts'
import { type Collector, startCollector } from './collector.ts'
import type { Setting } from './setting-groups.ts'

/** A module to load into a server, which then does not find its optional packages of OpenTelemetry. */
export const withoutOpenTelemetry: string = fileURLToPath(
  new URL('without-opentelemetry.ts', import.meta.url),
)
const certificateName = 'broker.bench'

/** Our command with a setting, in a separate process. */
export interface SettingServer extends AsyncDisposable {
  readonly setting: Setting
  readonly pid: number
  readonly port: number
  readonly tls: LoadTls | undefined
  /** Stops it, and fails when it did not do what the setting says. Returns how many spans it has sent. */
  finish(): Promise<number>
}

export interface SettingServerOptions {
  readonly protocol: CheckProtocol
  readonly tokenEndpoint: string
  readonly authority: CertificateAuthority
  readonly scratch: string
}

export async function startSettingServer(
  setting: Setting,
  { protocol, tokenEndpoint, authority, scratch }: SettingServerOptions,
): Promise<SettingServer> {
  await using stack = new AsyncDisposableStack()
  const collector = setting.collector ? stack.use(await startCollector()) : undefined
  const nodeOptions = setting.withoutOpenTelemetry ? ['--import', withoutOpenTelemetry] : []
  const server = stack.use(
    new ManagedProcess('the broker', process.execPath, [...nodeOptions, brokerCommand], {
      env: {
        LISTEN_ADDR: '127.0.0.1:0',
        ADMIN_ADDR: '127.0.0.1:0',
        ...(protocol === 'grpc' && { GRPC_LISTEN_ADDR: '127.0.0.1:0' }),
        DEX_TOKEN_URL: tokenEndpoint,
        ...(setting.tls && certificateFiles(setting.tls, authority, scratch)),
        ...(collector && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
        ...setting.environment,
      },
    }),
  )
  const {
    port,
    adminPort,
    grpcPort = 0,
  } = await server.until('it listened', () => listeningPorts(server.log))
  const startLog = server.log
  const resources = stack.move()
  return {
    setting,
    pid: server.pid,
    port: protocol === 'grpc' ? grpcPort : port,
    tls: setting.tls && loadTls(setting.tls, authority),
    async finish() {
      await assertNoLineDropped(setting, adminPort)
      if (setting.withoutOpenTelemetry && !startLog.includes('OpenTelemetry is not installed')) {
        throw new Error(`${setting.title}: OpenTelemetry was found`)
      }
      // The rest of the spans is sent at the stop.
      await server[Symbol.asyncDispose]()
      return await spansSent(setting, collector)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function certificateFiles(
  tls: 'server' | 'mutual',
  authority: CertificateAuthority,
  scratch: string,
): Record<string, string> {
  const { cert, key } = authority.issue(certificateName)
  const file = (name: string, content: string) => {
    const where = path.join(scratch, name)
    writeFileSync(where, content)
    return where
  }
  return {
    TLS_CERT_FILE: file(`${tls}.crt`, cert),
    TLS_KEY_FILE: file(`${tls}.key`, key),
    ...(tls === 'mutual' && { TLS_CLIENT_CA_FILE: file('ca.crt', authority.cert) }),
  }
}

function loadTls(tls: 'server' | 'mutual', authority: CertificateAuthority): LoadTls {
  return {
    name: certificateName,
    ca: authority.cert,
    ...(tls === 'mutual' && authority.issue('envoy.bench')),
  }
}

/** A line that is dropped costs less than one that is written. */
async function assertNoLineDropped({ title }: Setting, adminPort: number): Promise<void> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const [, dropped] = /^dex_token_broker_log_lines_dropped_total (\d+)$/m.exec(text) ?? []
  if (dropped !== '0') throw new Error(`${title}: ${dropped} log lines were dropped`)
}

async function spansSent({ title, sendsSpans }: Setting, collector: Collector | undefined): Promise<number> {
  const spans = (await collector?.spans()) ?? 0
  if (spans > 0 !== (sendsSpans ?? false)) throw new Error(`${title}: ${spans} spans arrived`)
  return spans
}
