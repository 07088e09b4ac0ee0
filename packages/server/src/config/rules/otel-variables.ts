import { variableNames } from '../schema/config-schema.ts'
import type { SettingsReading } from '../schema/read-settings.ts'
import { quoteValue } from '../values/quote-value.ts'

const ofExporter = 'HEADERS|TIMEOUT|COMPRESSION|CERTIFICATE|CLIENT_CERTIFICATE|CLIENT_KEY'
/** Variables that OpenTelemetry's exporter and resources read themselves; the SDK reads none. */
const readByOpenTelemetry = new RegExp(
  `^OTEL_(?:RESOURCE_ATTRIBUTES|EXPORTER_OTLP_(?:TRACES_)?(?:${ofExporter}))$`,
)
/** The broker has no such signals to send. */
const ofOtherSignals = /^OTEL_(?:.*_)?(?:METRICS?|LOGS?|LOGRECORD|BLRP)(?:_|$)/
/** With values that change nothing: what the broker does. */
const ownValues: Readonly<Record<string, readonly string[]>> = {
  OTEL_EXPORTER_OTLP_PROTOCOL: ['http/protobuf'],
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: ['http/protobuf'],
  OTEL_TRACES_EXPORTER: ['otlp'],
  OTEL_PROPAGATORS: ['tracecontext', 'tracecontext,baggage'],
}
const known: ReadonlySet<string> = new Set(variableNames)

/** Warns of OpenTelemetry's variables that are set and have no effect here. Values of unknown ones are not shown. */
export function otelVariableWarnings(
  env: NodeJS.ProcessEnv,
  { settings }: Pick<SettingsReading, 'settings'>,
): string[] {
  const ignored = Object.keys(env).filter(name => isIgnored(name, env[name]))
  const isOn = settings.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && settings.OTEL_SDK_DISABLED === false
  if (!isOn) {
    return ignored.includes('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') && settings.OTEL_SDK_DISABLED === false
      ? ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has no effect; did you mean OTEL_EXPORTER_OTLP_ENDPOINT?']
      : []
  }
  const isProtocol = (name: string) => name.endsWith('_PROTOCOL')
  const others = ignored.filter(name => !isProtocol(name))
  return [
    ...ignored
      .filter(isProtocol)
      .map(
        name =>
          `${name} is ${quoteValue(env[name] ?? '')}, and the broker sends http/protobuf. Set OTEL_EXPORTER_OTLP_ENDPOINT to the port of the collector for HTTP, mostly 4318, and remove ${name}.`,
      ),
    ...(others.length === 0
      ? []
      : [
          `${others.join(', ')} ${others.length === 1 ? 'has' : 'have'} no effect: the broker does not read this setting of OpenTelemetry. docs/traces.md lists what it reads.`,
        ]),
  ]
}

function isIgnored(name: string, value = ''): boolean {
  if (!name.startsWith('OTEL_') || value === '' || known.has(name)) return false
  if (readByOpenTelemetry.test(name) || ofOtherSignals.test(name)) return false
  return !ownValues[name]?.includes(value.replaceAll(' ', ''))
}
