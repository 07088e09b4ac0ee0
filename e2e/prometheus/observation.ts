import { type PrometheusServer, type Sample, until } from '@broker/testing'
import { type AlertCondition, alertConditions } from './alert-rules.ts'
import { dashboardQueries } from './dashboard-queries.ts'
import { job } from './monitored-system.ts'

/** Values of the dashboard's variables: everything, as when it is opened. */
const variables = { namespace: '.*', job, instance: '.*', __rate_interval: '10s' }

/** Watches the alerts and the queries of the dashboard, and keeps which ones it has seen. */
export class Observation {
  /** Alerts that were seen, as `<name> <severity>`. */
  readonly alerts = new Set<string>()
  /** Names of queries that had data. */
  readonly queries = new Set<string>()
  readonly allQueries = dashboardQueries(variables)
  readonly #prometheus: PrometheusServer

  constructor(prometheus: PrometheusServer) {
    this.#prometheus = prometheus
  }

  /** Waits until Prometheus found the condition of each alert to hold: the alert is pending or firing. */
  async sees(alerts: readonly string[]): Promise<void> {
    const missing = new Set(alerts)
    await this.#untilEmpty(missing, async () => {
      for (const alert of await this.#activeAlerts()) missing.delete(alert)
    })
    for (const alert of alerts) this.alerts.add(alert)
  }

  /** Waits until each of these queries has data, and all its values are finite. */
  async hasData(names: readonly string[]): Promise<void> {
    const missing = new Set(names)
    await this.#untilEmpty(missing, async () => {
      for (const { name, expression } of this.allQueries.filter(query => missing.has(query.name))) {
        if (isTrue(await this.#prometheus.query(expression))) missing.delete(name)
      }
    })
    for (const name of names) this.queries.add(name)
  }

  /** Waits until no condition holds. */
  async isQuiet(): Promise<void> {
    const holding = new Set(alertConditions.map(keyOf))
    await this.#untilEmpty(holding, async () => {
      for (const condition of alertConditions) {
        const samples = await this.#prometheus.query(condition.shortExpression)
        if (samples.length === 0) holding.delete(keyOf(condition))
        else holding.add(keyOf(condition))
      }
      // Prometheus's own evaluation is up to an interval later.
      for (const alert of await this.#activeAlerts()) holding.add(alert)
    })
  }

  /** Alerts that Prometheus holds for pending or firing. */
  async #activeAlerts(): Promise<ReadonlySet<string>> {
    const samples = await this.#prometheus.query('ALERTS')
    return new Set(samples.map(({ labels }) => `${labels['alertname']} ${labels['severity']}`))
  }

  async #untilEmpty(names: ReadonlySet<string>, look: () => Promise<void>): Promise<void> {
    const deadlineMs = 45_000
    await until(
      async () => {
        await look()
        return names.size === 0
      },
      'all of them',
      deadlineMs,
    ).catch((error: Error) => {
      throw names.size === 0 ? error : new Error(`not within ${deadlineMs} ms: ${[...names].join(', ')}`)
    })
  }
}

/** The name of an alert with its severity. */
export function keyOf({ alert, severity }: Pick<AlertCondition, 'alert' | 'severity'>): string {
  return `${alert} ${severity}`
}

function isTrue(samples: readonly Sample[]): boolean {
  return samples.length > 0 && samples.every(({ value }) => Number.isFinite(value))
}
