import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChartTool } from '@broker/testing'
import { expect, onTestFinished, test } from 'vitest'
import { chartFolder, helm, needsHelm, rendered, renderedText, run } from './helm.ts'
import { only } from './kubernetes-object.ts'
import { exampleValues, modes } from './release-values.ts'

/** A copy of the chart that has these dashboards. */
async function chartWithDashboards(dashboards: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const chart = join(folder, 'dex-token-broker')
  await cp(chartFolder, chart, { recursive: true })
  await rm(join(chart, 'files/dashboards'), { recursive: true, force: true })
  await mkdir(join(chart, 'files/dashboards'))
  for (const [name, text] of Object.entries(dashboards))
    await writeFile(join(chart, 'files/dashboards', name), text)
  return chart
}

test.for(modes)('helm lint finds nothing in the chart with the example of mode %s', needsHelm, async mode => {
  const { exitCode, stdout, stderr } = await helm(
    ['lint', '--strict'],
    join(chartFolder, `examples/values-${mode}.yaml`),
  )
  expect(stdout + stderr).not.toMatch(/\[(WARNING|ERROR)\]/)
  expect(exitCode).toBe(0)
})

test(
  'over HTTP, Envoy replaces every header that carries the token, so that no caller forges one',
  needsHelm,
  async () => {
    const example = exampleValues('gate')
    const extraEnv = [
      { name: 'UPSTREAM_AUTH_HEADER', value: 'X-Forwarded-Access-Token' },
      { name: 'UPSTREAM_TOKEN_HEADERS', value: 'access_token:x-access-token, id_token' },
    ]
    const { headersToBackend } = only(await rendered({ ...example, extraEnv }), 'SecurityPolicy').spec.extAuth
      .http
    expect(headersToBackend).toEqual([
      'authorization',
      'x-forwarded-access-token',
      'x-access-token',
      'id_token',
    ])
  },
)

test('a changed setting replaces the pods, and a changed rule does not', needsHelm, async () => {
  const example = exampleValues('rules')
  const config = example['config'] as { readonly rules: readonly object[] }
  const podWith = async (change: object) => {
    const objects = await rendered({ ...example, config: { ...config, ...change } })
    return JSON.stringify(only(objects, 'Deployment').spec.template)
  }
  const before = await podWith({ settings: { GRPC_MAX_CONNECTION_AGE: '30m' } })
  expect(await podWith({ settings: { GRPC_MAX_CONNECTION_AGE: '10m' } })).not.toBe(before)
  const rules = [{ name: 'nobody', when: 'true', deny: 'closed' }]
  expect(await podWith({ settings: { GRPC_MAX_CONNECTION_AGE: '30m' }, rules })).toBe(before)
})

test(
  'the pod has the token of its service account only for an issuer of its cluster',
  needsHelm,
  async () => {
    const example = exampleValues('rules')
    const config = example['config'] as object
    const tokenWith = async (issuer: object) => {
      const objects = await rendered({ ...example, config: { ...config, issuers: [issuer] } })
      return only(objects, 'Deployment').spec.template.spec.automountServiceAccountToken
    }
    const cluster = { name: 'cluster', kubernetes: {}, audiences: ['dex-token-broker'] }
    expect(await tokenWith(cluster)).toBe(true)
    expect(await tokenWith({ name: 'staff', issuer: 'https://idp.example.com', audiences: ['a'] })).toBe(
      false,
    )
  },
)

test('headers that rules set reach the backend over HTTP', needsHelm, async () => {
  const example = exampleValues('rules')
  const securityPolicy = { ...(example['securityPolicy'] as object), protocol: 'http' }
  const objects = await rendered({
    ...example,
    securityPolicy: { ...securityPolicy, extraHeadersToBackend: ['x-more'] },
  })
  expect(only(objects, 'SecurityPolicy').spec.extAuth.http.headersToBackend).toEqual([
    'authorization',
    'x-caller',
    'x-more',
  ])
})

test(
  'every dashboard of the chart is in the ConfigMap that the sidecar of Grafana finds',
  needsHelm,
  async () => {
    const dashboards = { 'broker.json': '{"title":"{{ legend }}"}', 'dex.json': '{\n  "title": "Dex"\n}\n' }
    const objects = await rendered(
      { ...exampleValues('header'), dashboards: { enabled: true } },
      await chartWithDashboards(dashboards),
    )
    const { metadata, data } = only(objects, 'ConfigMap')
    expect(data).toEqual(dashboards)
    expect(metadata.labels).toHaveProperty('grafana_dashboard', '1')
  },
)

test('facts about a route reach rules over gRPC, and its name for a single target', needsHelm, async () => {
  const target = (name: string) => ({ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name })
  const factsWith = async (targets: readonly string[], contextExtensions: object) => {
    const securityPolicy = {
      enabled: true,
      protocol: 'grpc',
      targetRefs: targets.map(target),
      contextExtensions,
    }
    const objects = await rendered({ ...exampleValues('rules'), securityPolicy })
    return only(objects, 'SecurityPolicy')['spec'].extAuth.contextExtensions
  }
  expect(await factsWith(['orders'], { tenant: 'a' })).toEqual([
    { name: 'route', type: 'Value', value: 'orders' },
    { name: 'tenant', type: 'Value', value: 'a' },
  ])
  expect(await factsWith(['orders', 'billing'], {})).toBeUndefined()
})

test('an old Kubernetes is refused', needsHelm, async () => {
  const args = ['template', 'broker', '--kube-version', '1.29.0']
  const { exitCode, stderr } = await helm(args, exampleValues('header'))
  expect(stderr).toContain('chart requires kubeVersion: >=1.30.0-0')
  expect(exitCode).toBe(1)
})

test('a chart without dashboards renders none', needsHelm, async () => {
  const values = { ...exampleValues('header'), dashboards: { enabled: true } }
  const objects = await rendered(values, await chartWithDashboards({}))
  expect(objects.filter(({ kind }) => kind === 'ConfigMap')).toEqual([])
})

test('the packed chart renders what the folder does', needsHelm, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const args = ['package', chartFolder, '--destination', folder]
  const { stderr, exitCode } = await run(findChartTool('HELM_BIN') ?? 'helm', args)
  expect(exitCode, stderr).toBe(0)
  const [archive = ''] = await readdir(folder)
  const values = { ...exampleValues('rules'), prometheusRule: { enabled: true } }
  expect(await renderedText(values, join(folder, archive))).toBe(await renderedText(values))
})

test(
  'the rules of the PrometheusRule are the alerts, with the placeholders of Prometheus',
  needsHelm,
  async () => {
    const objects = await rendered({ ...exampleValues('header'), prometheusRule: { enabled: true } })
    const alerts = await rendered({ ...exampleValues('header'), prometheusRule: { enabled: false } })
    expect(only(objects, 'PrometheusRule').spec.groups[0].rules.length).toBeGreaterThan(10)
    expect(alerts.filter(({ kind }) => kind === 'PrometheusRule')).toEqual([])
  },
)

test('the notes name the next commands, and what is open to everybody', needsHelm, async () => {
  const { stdout } = await helm(
    ['install', 'broker', '--dry-run=client', '--namespace', 'my-app', '--hide-notes=false'],
    {
      dex: { issuer: 'https://dex.example.com/dex' },
      networkPolicy: { enabled: false },
    },
  )
  const [, notes = ''] = stdout.split('NOTES:')
  expect(notes).toContain('helm test broker -n my-app --logs')
  expect(notes).toContain('kubectl -n my-app port-forward deploy/broker-dex-token-broker 8081')
  expect(notes).toContain('No policy of this release asks the broker')
  expect(notes).toContain('networkPolicy.enabled is false')
})
