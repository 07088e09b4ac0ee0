import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricGuideFaults, metricsMarkdown, ownMetrics } from './metrics-markdown.ts'

const metrics = [
  { name: 'dex_token_broker_checks_total', help: 'Checks.', type: 'counter', labelNames: ['outcome'] },
]
const guide = { dex_token_broker_checks_total: { labels: { outcome: '`allow`' }, action: 'Nothing.' } }

test('the page has every metric that the server registers, its cache included, and none of Node.js', () => {
  const names = ownMetrics().map(({ name }) => name)
  assert(names.includes('dex_token_broker_checks_total'))
  assert(names.includes('dex_token_broker_cache_stale_total'))
  assert(!names.some(name => name.startsWith('nodejs_')))
})

test('a metric or a label that the guide lacks or has too much is a fault', () => {
  assert.deepEqual(metricGuideFaults(guide, metrics), [])
  assert.match(metricGuideFaults({}, metrics).join(), /'dex_token_broker_checks_total' is not described/)
  assert.match(metricGuideFaults(guide, []).join(), /is described, and is not registered/)
  const [{ labelNames, ...rest }] = metrics
  assert.match(
    metricGuideFaults(guide, [{ ...rest, labelNames: [...labelNames, 'reason'] }]).join(),
    /has the labels 'outcome,reason', not 'outcome'/,
  )
})

test('the page has a row for each metric', () => {
  assert.match(
    metricsMarkdown(guide, metrics),
    /\| `dex_token_broker_checks_total` \| counter \| `outcome`: `allow` \| Checks\. \| Nothing\. \|/,
  )
})
