import { BrokerMetrics } from '../../packages/server/src/admin/broker-metrics.ts'

interface MetricGuide {
  /** The values of each label. */
  readonly labels?: Readonly<Record<string, string>>
  readonly action: string
}

interface RegisteredMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labelNames?: readonly string[]
}

const ownPrefix = 'dex_token_broker_'

/** The metrics that the server registers, without the metrics of the Node.js process. */
export function ownMetrics(): readonly RegisteredMetric[] {
  const metrics = new BrokerMetrics()
  // Numbers are read when Prometheus asks; nobody asks here.
  metrics.watch({} as Parameters<BrokerMetrics['watch']>[0])
  const registered = metrics.registry.getMetricsAsArray() as unknown as readonly RegisteredMetric[]
  return registered.filter(({ name }) => name.startsWith(ownPrefix))
}

/** Compares the guide to the metrics with the registry: missing and unknown metrics. */
export function metricGuideFaults(
  guide: Readonly<Record<string, MetricGuide>>,
  metrics: readonly RegisteredMetric[],
): readonly string[] {
  const names = new Set(metrics.map(({ name }) => name))
  return [
    ...metrics.flatMap(({ name, labelNames = [] }) => {
      const entry = guide[name]
      if (entry === undefined) return [`'${name}' is not described`]
      const described = Object.keys(entry.labels ?? {})
      const same = described.toSorted().join() === [...labelNames].toSorted().join()
      return same ? [] : [`'${name}' has the labels '${labelNames.join()}', not '${described.join()}'`]
    }),
    ...Object.keys(guide)
      .filter(name => !names.has(name))
      .map(name => `'${name}' is described, and is not registered`),
  ].map(fault => `scripts/docs/metrics-guide.json: ${fault}`)
}

/** The text of docs/metrics.md. */
export function metricsMarkdown(
  guide: Readonly<Record<string, MetricGuide>>,
  metrics: readonly RegisteredMetric[],
): string {
  const rows = metrics.map(({ name, type, help, labelNames = [] }) => {
    const labels = labelNames.map(label => `\`${label}\`: ${guide[name]?.labels?.[label] ?? ''}`).join('<br>')
    return `| \`${name}\` | ${type} | ${labels || '–'} | ${help} | ${guide[name]?.action ?? ''} |`
  })
  return `# Metrics

<!-- Generated from packages/server/src/admin/broker-metrics.ts and scripts/docs/metrics-guide.json: change these, not this file. -->

The admin listener (\`ADMIN_ADDR\`, \`:8081\`) serves Prometheus's text format:

\`\`\`sh
curl -s http://127.0.0.1:8081/metrics | grep '^${ownPrefix}'
\`\`\`

\`\`\`yaml
scrape_configs:
  - job_name: dex-token-broker
    static_configs:
      - targets: ['127.0.0.1:8081']
\`\`\`

The alerts that use them are in [operations.md](operations.md#alerts).

| Metric | Type | Labels | Meaning | What to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

No label holds a client id, a path or a host: the number of series is bounded. The same page has the metrics of the Node.js process
(\`process_*\`, \`nodejs_*\`), as prom-client names them.
`
}
