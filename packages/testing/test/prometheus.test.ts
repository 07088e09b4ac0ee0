import { expect, test } from 'vitest'
import { findPrometheus, listening, prometheusNeed, startPrometheus, until } from '../src/index.ts'
import { needs } from '../src/vitest.ts'

test('Prometheus is the one that is named, else the one on the PATH', () => {
  expect(findPrometheus({ PROMETHEUS_BIN: '/opt/prometheus', PATH: '' })).toBe('/opt/prometheus')
  expect(findPrometheus({ PATH: '/does-not-exist' })).toBeUndefined()
})

test('a machine without Prometheus skips the tests, unless they are required', () => {
  expect(prometheusNeed({ PATH: '' })).toEqual({ PROMETHEUS_BIN: false })
  expect(() => prometheusNeed({ PATH: '', REQUIRE_PROMETHEUS: '1' })).toThrow('REQUIRE_PROMETHEUS is set')
})

test(
  'a server scrapes its targets, answers queries and says which rules fail',
  needs(prometheusNeed()),
  async () => {
    await using target = await listening((_, response) =>
      response.setHeader('content-type', 'text/plain').end('doors{open="yes"} 2\ndoors{open="no"} 1\n'),
    )
    const rules = ['good', '(doors * on () group_left () doors)'].map((expr, index) => ({
      alert: `a${index}`,
      expr,
    }))
    await using prometheus = await startPrometheus({
      targets: [target.port],
      job: 'house',
      labels: { namespace: 'street' },
      rules: JSON.stringify({ groups: [{ name: 'doors', rules }] }),
    })
    await until(async () => (await prometheus.query('doors')).length === 2, 'the first scrape')
    expect(await prometheus.query('sum by (job, namespace) (doors)')).toEqual([
      { labels: { job: 'house', namespace: 'street' }, value: 3 },
    ])
    await until(async () => (await prometheus.ruleFaults()).length === 1, 'the rule that fails')
    expect((await prometheus.ruleFaults())[0]).toMatch(/^a1: .*many-to-many|^a1: .*duplicate series/)
    await expect(prometheus.query('sum(')).rejects.toThrow('parse error')
  },
)
