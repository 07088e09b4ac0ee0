// The figures of a run, in docs/performance.md and docs/comparison.md.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { comparisonPage } from '../../bench/src/publish/comparison-page.ts'
import { performancePage } from '../../bench/src/publish/performance-page.ts'

const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')
const comparison = readFileSync(new URL('../../docs/comparison.md', import.meta.url), 'utf8')
const spread = { median: 2, min: 1, max: 3 }
const latencyMs = { p50: 1, p99: 2, p999: 3 }

function server(micros) {
  return {
    cpuMicrosPerCheck: { median: micros, min: micros, max: micros },
    checksPerCpuSecond: spread,
    checksPerSecond: spread,
    latencyMs,
    rssBytes: 2 ** 20,
    peakRssBytes: undefined,
    checks: 1,
    busy: 0.5,
    generatorBusy: 0.25,
  }
}

const cached = {
  mode: 'cached',
  title: 'a mode over HTTP',
  contenders: { ours: server(101), bare: server(102), go: server(103) },
  ratios: { bare: spread, go: spread },
}
const grpc = {
  mode: 'grpc',
  title: 'a mode over gRPC',
  contenders: { ours: server(201), http: server(202), 'grpc-go': server(203) },
  ratios: { http: spread, 'grpc-go': spread },
}
const way = { brokerMicros: spread, envoyMicros: spread, requestsPerSecond: spread, latencyMs }
const throughEnvoy = { ways: [{ title: 'a way through Envoy', ...way }] }
const setting = { cpuMicrosPerCheck: spread, checksPerSecond: spread, spansPerCheck: 0 }
const settings = {
  groups: [
    {
      title: 'a group',
      settings: [
        { ...setting, title: 'without it' },
        { ...setting, title: 'with it', ratio: { median: 1.25, min: 1, max: 1.5 }, spansPerCheck: 0.1 },
      ],
    },
  ],
}
const run = {
  machine: {
    cores: 2,
    architecture: 'x64',
    platform: 'linux',
    node: 'v26',
    loadGenerator: 'wrk',
    usageSource: '/proc',
  },
  rounds: 1,
  seconds: 1,
  connections: 16,
}

const headings = text => text.split('\n').flatMap(line => /^#+ (.*)/.exec(line)?.[1] ?? [])
const between = (text, name) => text.split(`<!-- ${name}:begin -->`)[1].split(`<!-- ${name}:end -->`)[0]
const outside = text => text.replaceAll(/(<!-- ([a-z-]+):begin -->)[\s\S]*?(<!-- \2:end -->)/g, '$1$3')

test('a heading is on the page once, however often a run with every mode is published', () => {
  const result = { ...run, modes: [cached, grpc], throughEnvoy, settings }
  const once = performancePage(page, result)
  const found = headings(once)
  assert.deepEqual(found, [...new Set(found)])
  assert.equal(performancePage(once, result), once)
})

test('each figure is in the section of its protocol', () => {
  const text = performancePage(page, { ...run, modes: [cached, grpc], throughEnvoy })
  const overHttp = between(text, 'bench')
  const overGrpc = between(text, 'bench-grpc')
  for (const figure of ['a mode over HTTP', '101.0', '103.0']) assert.ok(overHttp.includes(figure), figure)
  for (const figure of ['a mode over gRPC', '201.0', '203.0', 'a way through Envoy']) {
    assert.ok(overGrpc.includes(figure), figure)
    assert.ok(!overHttp.includes(figure), figure)
  }
})

test('each setting has its ratio and its spans, in the section of settings', () => {
  const text = between(performancePage(page, { ...run, modes: [], settings }), 'bench-settings')
  assert.ok(text.includes('| a group: without it | 2.0 (1.0-3.0) | – | 2 | 0.0 |'), text)
  assert.ok(text.includes('| a group: with it | 2.0 (1.0-3.0) | 1.25 (1.00-1.50) | 2 | 10.0 |'), text)
})

test('figures that a run does not have stay, and what people wrote always does', () => {
  const full = performancePage(page, { ...run, modes: [cached, grpc], throughEnvoy, settings })
  assert.equal(outside(full), outside(page))
  const other = { ...grpc, title: 'another run over gRPC' }
  const text = performancePage(full, { ...run, modes: [other] })
  for (const name of ['bench', 'bench-settings']) assert.equal(between(text, name), between(full, name))
  assert.ok(between(text, 'bench-grpc').includes('another run over gRPC'))
})

test('the comparison has each way through Envoy but the first, and what people wrote stays', () => {
  const less = { median: -0.02, min: -0.03, max: -0.01 }
  const added = { cpuMicros: spread, cpuRatio: spread, p50Ms: spread, p99Ms: less }
  const ways = [
    { title: 'a way without a check', ...way },
    { title: 'a way with one', ...way, added },
  ]
  const text = comparisonPage(comparison, { ...run, modes: [], throughEnvoy: { ways } })
  const figures =
    '| a way with one | 2.0 (1.0 to 3.0) | 2.00 (1.00 to 3.00) | 2.00 (1.00 to 3.00) | -0.02 (-0.03 to -0.01) |'
  assert.ok(between(text, 'bench-comparison').includes(figures), text)
  assert.ok(!text.includes('a way without a check'))
  assert.equal(outside(text), outside(comparison))
  assert.equal(comparisonPage(comparison, { ...run, modes: [cached] }), comparison)
})

test('a page without the place for the figures is refused', () => {
  assert.throws(() => performancePage('# Performance', { ...run, modes: [grpc] }), /no region between/)
})
