import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { brokerErrorCodes } from '../../packages/core/src/shared/errors.ts'
import { ownMetrics } from '../docs/metrics-markdown.ts'
import { root } from '../workspace/workspace-packages.cjs'

const { groups } = parse(readFileSync(path.join(root, 'deploy/prometheus/alerts.yaml'), 'utf8'))
const rules = groups.flatMap(group => group.rules)
const metrics = new Map(ownMetrics().map(metric => [metric.name, metric]))
const outcomesOfStore = ['record', 'none', 'leased', 'held', 'timeout', 'open']
const outcomes = new Set([
  ...Object.keys(brokerErrorCodes),
  ...outcomesOfStore,
  'issued',
  'refreshed',
  'failed',
  'discovered',
])

for (const { alert, expr, for: duration, annotations } of rules) {
  test(`the alert ${alert} reads metrics, labels and outcomes that exist, and says what to do`, () => {
    const selectors = [...expr.matchAll(/(dex_token_broker_\w+)(?:\{(\w+)(?:=~|!~|=)"([^"]*)"\})?/g)]
    assert.notEqual(selectors.length, 0)
    for (const [, name, label, values] of selectors) {
      const metric = metrics.get(name) ?? metrics.get(name.replace(/_(?:count|bucket|sum)$/, ''))
      assert(metric, `there is no metric ${name}`)
      if (label === undefined) continue
      assert(metric.labelNames.includes(label), `${name} has no label ${label}`)
      for (const value of values.split('|')) assert(outcomes.has(value), `there is no outcome ${value}`)
    }
    assert.match(duration, /^\d+m$/)
    assert.match(annotations.summary, /\.$|\?$/)
  })
}
