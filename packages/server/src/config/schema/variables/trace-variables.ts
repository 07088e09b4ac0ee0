import { optionalSetting, setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Traces'

/** The variables of the group "Traces", with the names of OpenTelemetry. */
export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalSetting('traceEndpoint', {
    group,
    kind: kind.url,
    needsRestart: true,
    example: 'http://otel-collector:4318',
    description:
      'Sends spans to this collector: OTLP over HTTP, at `/v1/traces` below this URL. `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT`, `_COMPRESSION`, `_CERTIFICATE`, `_CLIENT_CERTIFICATE` and `_CLIENT_KEY` are read as well, from the environment. Unset: nothing is traced.',
  }),
  OTEL_SDK_DISABLED: setting('tracesDisabled', {
    group,
    kind: kind.boolean,
    rule: { default: false },
    needsRestart: true,
    example: 'true',
    description: 'Turns traces off, whatever OTEL_EXPORTER_OTLP_ENDPOINT is.',
  }),
  OTEL_SERVICE_NAME: setting('traceServiceName', {
    group,
    kind: kind.text,
    rule: { default: 'dex-token-broker', maxLength: 256 },
    needsRestart: true,
    description: 'Name of the service in traces.',
  }),
  OTEL_TRACES_SAMPLER: setting('traceSampler', {
    group,
    kind: kind.oneOf(
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
      'always_on',
      'always_off',
      'traceidratio',
    ),
    rule: { default: 'parentbased_always_on' },
    needsRestart: true,
    description:
      'Which traces are sampled. `parentbased_*` follows Envoy where it sends a `traceparent`, and decides otherwise.',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting('traceSamplingRatio', {
    group,
    kind: kind.fraction,
    rule: { default: 1, min: 0, max: 1 },
    needsRestart: true,
    example: '0.1',
    description: 'The sampled fraction of traces, for `traceidratio` and `parentbased_traceidratio`.',
  }),
} satisfies Readonly<Record<string, Variable>>
