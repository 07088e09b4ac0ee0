import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { clockSkewBounds } from '../../packages/core/src/shared/clock-skew-severity.ts'
import { brokerErrorCodes } from '../../packages/core/src/shared/errors.ts'
import { BrokerMetrics } from '../../packages/server/src/admin/broker-metrics.ts'
import { lateMs } from '../../packages/server/src/admin/page/own-problems.ts'
import { problemKinds } from '../../packages/server/src/admin/page/problem.ts'
import { minRefusals } from '../../packages/server/src/admin/page/refusal-problems.ts'
import { grpcFaults } from '../../packages/server/src/grpc/grpc-fault.ts'
import { renewalPeriodMs, urgentPeriodMs } from '../../packages/server/src/tls/certificate-validity.ts'
import { findPromtool, promtoolNeed } from '../../packages/testing/src/promtool-binary.ts'
import { anchorsOf } from '../docs/markdown-links.mjs'
import { ownMetrics } from '../docs/metrics-markdown.ts'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'

const ruleFile = 'deploy/prometheus/alerts.yaml'
const testFile = 'deploy/prometheus/alerts.test.yaml'
const runbookUrl = 'https://github.com/OWNER/dex-token-broker/blob/main/docs/operations.md'
/** The conditions of the page that need no alert, and why. */
const kindsWithoutAlert = {
  'not-ready': 'its causes have alerts',
  'configuration-warning': 'the setting may be intended',
}

const rules = parse(read(ruleFile)).groups.flatMap(group => group.rules)
const ruleTests = parse(read(testFile)).tests
const runbook = read('docs/operations.md')
const metricsPage = read('docs/metrics.md')
const ofProcess = new BrokerMetrics().registry.getMetricsAsArray()
const metrics = new Map([...ofProcess, ...ownMetrics()].map(metric => [metric.name, metric]))

/** The values of labels that rules select by. */
const labelValues = {
  outcome: new Set([...Object.keys(brokerErrorCodes), 'allow', 'issued']),
  reason: new Set(grpcFaults),
  listener: new Set(['check', 'grpc', 'admin']),
}

for (const rule of rules) {
  const { alert, expr, labels, annotations } = rule
  const name = `the ${labels.severity} alert ${alert}`

  test(`${name} reads metrics, labels and values that exist`, () => {
    const selectors = [
      ...expr.matchAll(/((?:dex_token_broker|nodejs)_\w+)(?:\{(\w+)(?:=~|!~|!=|=)"([^"]*)"\})?/g),
    ]
    assert.notEqual(selectors.length, 0)
    for (const [, series, label, values] of selectors) {
      const metric = metricOf(series)
      assert(metric, `there is no metric ${series}`)
      assert(metricsPage.includes(`\`${metric.name}\``), `docs/metrics.md does not have ${metric.name}`)
      if (label === undefined) continue
      assert(metric.labelNames.includes(label), `${series} has no label ${label}`)
      for (const value of values.split('|')) assert(labelValues[label].has(value), `no ${label} is ${value}`)
    }
  })

  test(`${name} ignores a failure that is over: no range is longer than the time that it waits`, () => {
    for (const [, selector, range] of expr.matchAll(/([\w{}=~!"|]+)\[(\d+)m\]/g)) {
      // All checks: whether there is any traffic, which may be sparse.
      if (selector === 'dex_token_broker_checks_total') continue
      assert(Number(range) <= minutesOf(rule), `[${range}m] is longer than ${rule.for}`)
    }
  })

  test(`${name} names its section of the runbook, which says when it fires and what to do`, () => {
    assert.match(annotations.summary, /[.?]$/)
    const anchor = kebab(alert)
    assert.equal(annotations.runbook_url, `${runbookUrl}#${anchor}`)
    assert(anchorsOf(runbook).has(anchor), `docs/operations.md has no section ${anchor}`)
    const times = rules
      .filter(other => other.alert === alert)
      .map(other => `${other.labels.severity} after ${minutesOf(other)} min`)
    const section = sectionOf(anchor)
    assert(section.includes(`\n\`${alert}\`: ${times.join(', ')}.\n`), `${alert}: ${times.join(', ')}.`)
    const parts = [...section.matchAll(/^- \*\*(\w+(?: at)?)\*\*/gm)].map(([, part]) => part)
    assert.deepEqual(parts, ['Callers', 'Look at', 'Do', 'Ends'])
  })

  test(`${name} is seen to fire in a test of promtool`, () => {
    const expected = ruleTests
      .flatMap(({ promql_expr_test }) => promql_expr_test)
      .flatMap(({ exp_samples }) => exp_samples)
      .map(sample => sample.labels)
    assert(expected.includes(`{alertname="${alert}", severity="${labels.severity}"}`))
  })
}

test('each alert has one rule for each of its severities, and each severity is critical or warning', () => {
  const keys = rules.map(({ alert, labels }) => `${alert} ${labels.severity}`)
  assert.equal(new Set(keys).size, keys.length)
  for (const { labels } of rules) assert.match(labels.severity, /^(?:critical|warning)$/)
})

test('each problem of the status page has a section, and an alert of the same name', () => {
  const alerts = new Set(rules.map(({ alert }) => kebab(alert)))
  for (const kind of problemKinds) {
    assert(anchorsOf(runbook).has(kind), `docs/operations.md has no section ${kind}`)
    assert.equal(alerts.has(kind), !(kind in kindsWithoutAlert), kind)
  }
})

test('each code that a check can fail with has one critical alert', () => {
  const critical = rules.filter(({ labels }) => labels.severity === 'critical')
  for (const [code, { status }] of Object.entries(brokerErrorCodes)) {
    const alerts = critical.filter(({ expr }) =>
      [...expr.matchAll(/checks_total\{outcome=~?"([^"]*)"/g)].some(([, codes]) =>
        codes.split('|').includes(code),
      ),
    )
    assert.equal(alerts.length, 1, code)
    if (status < 500) assert.equal(alerts[0].alert, 'EverybodyRefused')
  }
})

test('the alerts have the thresholds of the status page', () => {
  const exprs = alert =>
    Object.fromEntries(
      rules.filter(rule => rule.alert === alert).map(({ labels, expr }) => [labels.severity, expr]),
    )
  const days = ms => `<= ${ms / 86_400_000} * 86400`
  assert(exprs('CertificateExpiring').critical.endsWith(days(urgentPeriodMs)))
  assert(exprs('CertificateExpiring').warning.endsWith(days(renewalPeriodMs)))
  assert(exprs('ClockSkew').critical.endsWith(`>= ${clockSkewBounds.criticalFromMs / 1000}`))
  assert(exprs('ClockSkew').warning.endsWith(`> ${clockSkewBounds.warnAboveMs / 1000}`))
  assert(exprs('EventLoopLag').warning.includes(`>= ${lateMs / 1000}`))
  assert(exprs('EverybodyRefused').critical.includes(`>= ${minRefusals}\n`))
})

test('the tests of the rules inject series that a broker has', () => {
  const series = ruleTests.flatMap(({ input_series }) => input_series.map(input => input.series))
  for (const text of new Set(series)) {
    const [, name, labels] = text.match(/^(\w+)\{(.*)\}$/)
    const metric = metricOf(name)
    assert(metric, `there is no metric ${name}`)
    const own = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label)
    const known = [...(metric.labelNames ?? []), 'namespace', 'job', 'instance', 'le']
    for (const label of own) assert(known.includes(label), `${name} has no label ${label}`)
  }
})

const promtool = promtoolNeed().PROMTOOL_BIN ? findPromtool() : undefined
const skip = promtool === undefined && 'PROMTOOL_BIN=/path/to/promtool runs it'

test('promtool accepts the rules', { skip }, async () => {
  const { exitCode, output } = await runCommand(promtool, ['check', 'rules', '--lint-fatal', ruleFile])
  assert.equal(exitCode, 0, output)
})

test('promtool sees each fault fire the alerts about it, and no others', { skip }, async () => {
  const { exitCode, output } = await runCommand(promtool, ['test', 'rules', testFile])
  assert.equal(exitCode, 0, output)
})

function metricOf(series) {
  return metrics.get(series) ?? metrics.get(series.replace(/_(?:count|bucket|sum)$/, ''))
}

function minutesOf({ for: duration }) {
  return Number(duration.match(/^(\d+)m$/)[1])
}

/** The anchor of the section about an alert. */
function kebab(alert) {
  return alert.replace(/(?!^)[A-Z]/g, letter => `-${letter}`).toLowerCase()
}

function sectionOf(anchor) {
  const sections = runbook.split(/^(?=#{2,3} )/m)
  return sections.find(text => anchorsOf(text.split('\n')[0]).has(anchor))
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8')
}
