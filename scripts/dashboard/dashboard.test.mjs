import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { metricOf, selectorFaults, seriesIn } from '../deploy/metric-selectors.mjs'
import { anchorsOf } from '../docs/markdown-links.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { brokerDashboard } from './dashboard.ts'

const dashboard = JSON.parse(JSON.stringify(brokerDashboard()))
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
/** The labels that Prometheus adds. */
const targetLabels = ['namespace', 'job', 'instance']

test('each query reads metrics, labels and values that exist, of the chosen replicas only', () => {
  for (const expr of exprs) {
    assert.deepEqual(selectorFaults(expr, targetLabels), [], expr)
    const selectors = expr.match(/\{/g)
    assert.notEqual(selectors, null, expr)
    assert.equal(expr.match(/\{[^}]*namespace=~"\$namespace", job=~"\$job"/g)?.length, selectors.length, expr)
  }
})

test('each series of a legend is told by labels that its query keeps', () => {
  for (const { title, targets } of panels) {
    for (const { expr, legendFormat } of targets) {
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)
      if (named.length === 0) continue
      const grouping = expr.match(/\bby \(([^)]*)\)/)
      const kept = grouping
        ? grouping[1].split(', ')
        : [...targetLabels, ...metricOf(seriesIn(expr)[0]).labelNames]
      for (const label of named) assert(kept.includes(label), `${title}: ${label}`)
    }
  }
})

test('the dashboard shows each metric that an alert reads', () => {
  const rules = readFileSync(path.join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')
  const shown = new Set(exprs.flatMap(seriesIn).map(series => metricOf(series).name))
  for (const { expr } of parse(rules).groups.flatMap(group => group.rules)) {
    for (const series of seriesIn(expr)) assert(shown.has(metricOf(series).name), series)
  }
})

test('each panel leads to a section of the runbook, in its description and by a link', () => {
  const sections = anchorsOf(readFileSync(path.join(root, 'docs/operations.md'), 'utf8'))
  for (const { title, description, links } of panels) {
    const [, url, anchor] = description.match(/\n\n\[Runbook\]\((\S*docs\/operations\.md#(\S+))\)$/)
    assert(sections.has(anchor), `${title}: no section ${anchor}`)
    assert.deepEqual(
      links.map(link => link.url),
      [url],
    )
  }
})

test('each panel has its own number and title, and none covers another', () => {
  const all = dashboard.panels
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
  assert.equal(new Set(all.map(({ title }) => title)).size, all.length)
  for (const [index, { gridPos: one, title }] of all.entries()) {
    assert(one.x + one.w <= 24, title)
    for (const { gridPos: other } of all.slice(index + 1)) {
      const apart =
        one.x + one.w <= other.x ||
        other.x + other.w <= one.x ||
        one.y + one.h <= other.y ||
        other.y + other.h <= one.y
      assert(apart, title)
    }
  }
})

test('a viewer chooses the data source, and brokers by namespace, job and instance', () => {
  const names = dashboard.templating.list.map(({ name }) => name)
  assert.deepEqual(names, ['datasource', ...targetLabels])
  for (const { datasource, targets } of panels) {
    for (const source of [datasource, ...targets.map(target => target.datasource)])
      assert.equal(source.uid, '$' + '{datasource}')
  }
})
