import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'

const on = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
const warningsOf = (environment: Readonly<Record<string, string>>) => loadConfig(environment).warnings

describe('variables of OpenTelemetry', () => {
  test.each(['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'])(
    'warns of %s with a protocol that the broker does not speak',
    name => {
      expect(warningsOf({ ...on, [name]: 'grpc' })).toEqual([
        expect.stringMatching(new RegExp(`^${name} is "grpc", and the broker sends http/protobuf\\.`)),
      ])
      expect(warningsOf({ ...on, [name]: 'http/protobuf' })).toEqual([])
      expect(warningsOf({ [name]: 'grpc' })).toEqual([])
    },
  )

  // The general variables of the SDK and of its span limits, as in the specification of OpenTelemetry.
  test.each([
    ...['OTEL_BSP_SCHEDULE_DELAY', 'OTEL_BSP_EXPORT_TIMEOUT', 'OTEL_BSP_MAX_QUEUE_SIZE'],
    ...['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_SPAN_LINK_COUNT_LIMIT'],
    ...['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT', 'OTEL_SPAN_EVENT_COUNT_LIMIT'],
    ...['OTEL_EXPORTER_OTLP_INSECURE', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPERIMENTAL_CONFIG_FILE'],
  ])('warns of %s, which nothing here reads, without its value', name => {
    expect(warningsOf({ ...on, [name]: 'value-9' })).toEqual([
      `${name} has no effect: the broker does not read this setting of OpenTelemetry. docs/traces.md lists what it reads.`,
    ])
  })

  test('warns of an exporter or a propagator that is not its own', () => {
    for (const [name, own, other] of [
      ['OTEL_TRACES_EXPORTER', 'otlp', 'zipkin'],
      ['OTEL_PROPAGATORS', 'tracecontext, baggage', 'b3'],
    ] as const) {
      expect(warningsOf({ ...on, [name]: own })).toEqual([])
      expect(warningsOf({ ...on, [name]: other })).toEqual([expect.stringContaining(`${name} has no effect`)])
    }
  })

  test('is silent about what the exporter reads, about other signals, and where nothing is traced', () => {
    const read = {
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=1',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-api-key=1',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '5000',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:4318/v1/logs',
    }
    expect(warningsOf({ ...on, ...read })).toEqual([])
    expect(warningsOf({ OTEL_BSP_SCHEDULE_DELAY: '100' })).toEqual([])
    expect(warningsOf({ ...on, OTEL_SDK_DISABLED: 'true', OTEL_BSP_SCHEDULE_DELAY: '100' })).toEqual([])
  })

  test('says which variable turns traces on', () => {
    const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = 'http://127.0.0.1:4318/v1/traces'
    expect(warningsOf({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT })).toEqual([
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has no effect; did you mean OTEL_EXPORTER_OTLP_ENDPOINT?',
    ])
  })
})
