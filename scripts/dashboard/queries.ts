/** The viewer's choice. `$job` names the jobs of brokers, so that it also fits the metrics of Node.js. */
const chosen = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'

/** A selector of one of the broker's metrics, without its prefix. */
export function own(metric: string, labels = ''): string {
  return ofProcess(`dex_token_broker_${metric}`, labels)
}

/** A selector of a metric with its whole name. */
export function ofProcess(metric: string, labels = ''): string {
  return `${metric}{${labels === '' ? chosen : `${labels}, ${chosen}`}}`
}

/** How fast counters rise, added up by these labels. */
export function perSecond(selector: string, ...by: readonly string[]): string {
  return `sum${grouping(by)}(rate(${selector}[$__rate_interval]))`
}

/** A quantile of a histogram of the broker, by these labels. */
export function quantile(share: number, histogram: string, labels: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${perSecond(own(`${histogram}_bucket`, labels), ...by, 'le')})`
}

/** The sum of a token counter over both caches: the tokens of clients, and the exchanged tokens of users. */
export function ofBothCaches(counter: string): string {
  return `${perSecond(own(`cache_${counter}`))} + ${perSecond(own(`exchange_cache_${counter}`))}`
}

function grouping(labels: readonly string[]): string {
  return labels.length === 0 ? '' : ` by (${labels.join(', ')}) `
}
