import { brokerErrorCodes } from '../../packages/core/src/shared/errors.ts'
import { BrokerMetrics } from '../../packages/server/src/admin/broker-metrics.ts'
import { grpcFaults } from '../../packages/server/src/grpc/grpc-fault.ts'
import { ownMetrics } from '../docs/metrics-markdown.ts'

const ofProcess = new BrokerMetrics().registry.getMetricsAsArray()
const metrics = new Map([...ofProcess, ...ownMetrics()].map(metric => [metric.name, metric]))

/** The values of labels by which expressions select. */
const labelValues = {
  outcome: new Set([...Object.keys(brokerErrorCodes), 'allow', 'refused', 'failed', 'issued']),
  reason: new Set(grpcFaults),
  listener: new Set(['check', 'grpc', 'admin']),
}

/** The metric of a series of the broker, by its name in an expression; `undefined` when there is none. */
export function metricOf(series) {
  return metrics.get(series) ?? metrics.get(series.replace(/_(?:count|bucket|sum)$/, ''))
}

/** The series of the broker in an expression of Prometheus. */
export function seriesIn(expr) {
  return [...expr.matchAll(/(?:dex_token_broker|nodejs|process)_\w+/g)].map(([series]) => series)
}

/** Metrics, labels and values that an expression selects and a broker does not have. */
export function selectorFaults(expr, targetLabels = []) {
  return [...expr.matchAll(/((?:dex_token_broker|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].flatMap(
    ([, series, labels = '']) => {
      const metric = metricOf(series)
      if (metric === undefined) return [`there is no metric ${series}`]
      return [...labels.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)]
        .filter(([, label]) => !targetLabels.includes(label))
        .flatMap(([, label, values]) => {
          if (!metric.labelNames.includes(label)) return [`${series} has no label ${label}`]
          const unknown = values.split('|').filter(value => !labelValues[label].has(value))
          return unknown.map(value => `no ${label} is ${value}`)
        })
    },
  )
}
