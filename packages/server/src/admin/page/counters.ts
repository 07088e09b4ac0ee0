import type { Registry } from 'prom-client'
import type { DurationBucket } from './activity.ts'

const prefix = 'dex_token_broker_'

/** Counters since the start, as the metrics count them. */
export interface Counters {
  /** Checks by outcome. */
  readonly checks: Readonly<Record<string, number>>
  /** JWTs refused, by reason. */
  readonly jwtRefusals: Readonly<Record<string, number>>
  readonly durations: readonly DurationBucket[]
  /** Refused TLS connections, by reason. */
  readonly tlsRefusals: Readonly<Record<string, number>>
  /** Requests to the check listener outside `/check`. */
  readonly unknownTargets: number
  readonly droppedLines: number
  /** Not a counter: the faults now. */
  readonly configFaults: number
  /** When the configuration in effect was loaded, in milliseconds since 1970; 0 when that is not known. */
  readonly configLoadedAt: number
}

/** Reads counters from the metrics, which count every check anyway. */
export async function readCounters(registry: Registry): Promise<Counters> {
  const [checks, jwtRefusals, tlsRefusals, unknown, dropped, faults, loadedAt, durations] = await Promise.all(
    [
      byLabel(registry, 'checks_total', 'outcome'),
      byLabel(registry, 'jwt_refusals_total', 'reason'),
      byLabel(registry, 'tls_connections_refused_total', 'reason'),
      byLabel(registry, 'unknown_requests_total', ''),
      byLabel(registry, 'log_lines_dropped_total', ''),
      byLabel(registry, 'config_faults', ''),
      byLabel(registry, 'config_loaded_timestamp_seconds', ''),
      byLabel(registry, 'check_duration_seconds', 'le', 'check_duration_seconds_bucket'),
    ],
  )
  return {
    checks,
    jwtRefusals,
    tlsRefusals,
    durations: bucketsOf(durations),
    unknownTargets: sum(unknown),
    droppedLines: sum(dropped),
    configFaults: sum(faults),
    configLoadedAt: sum(loadedAt) * 1_000,
  }
}

/** The values of a metric, added up by a label. */
async function byLabel(
  registry: Registry,
  name: string,
  label: string,
  series?: string,
): Promise<Readonly<Record<string, number>>> {
  const metric = await registry.getSingleMetric(prefix + name)?.get()
  const totals: Record<string, number> = {}
  for (const each of metric?.values ?? []) {
    const { labels, value, metricName } = each as typeof each & { metricName?: string }
    if (series !== undefined && metricName !== prefix + series) continue
    const key = String((labels as Record<string, string | number>)[label] ?? '')
    totals[key] = (totals[key] ?? 0) + value
  }
  return totals
}

/** Prometheus' buckets contain the smaller ones. */
function bucketsOf(cumulative: Readonly<Record<string, number>>): DurationBucket[] {
  const bounds = Object.entries(cumulative)
    .map(([le, count]) => ({ seconds: Number(le === '+Inf' ? 'Infinity' : le), count }))
    .sort((one, other) => one.seconds - other.seconds)
  return bounds.map(({ seconds, count }, index) => ({
    upToMs: seconds === Number.POSITIVE_INFINITY ? undefined : Math.round(seconds * 1000),
    count: count - (bounds[index - 1]?.count ?? 0),
  }))
}

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0)
}
