import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { type Explained, explain } from '../../src/explain/explain.ts'
import type { ExplainRequest } from '../../src/explain/explain-request.ts'

const folder = new URL('../../../../docs/rules/', import.meta.url)
const page = readFileSync(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')
const recipes = readdirSync(folder)
const secrets = { ORDERS_SECRET: 'one', ADMIN_SECRET: 'two', BATCH_SECRET: 'three' }

interface Case {
  readonly recipe: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly string[]
  readonly context?: Readonly<Record<string, string>>
  /** The rule that decides; `undefined` when none matches. */
  readonly rule: string | undefined
  /** The client, `pass`, or the text of the refusal. */
  readonly result: string
  readonly set?: Readonly<Record<string, string>>
  /** The scope of the choice; default: the client's own. */
  readonly scope?: string
  /** The audiences of the choice; default: the client's own. */
  readonly audiences?: readonly string[]
}

const staff = { iss: 'https://idp.example.com', sub: 'jane', aud: 'orders' }
const pipeline = { iss: 'https://dex.example.com/dex', sub: 'CgtjaS1waXBlbGluZQ', aud: 'ci-pipeline' }
const account = (subject: string, namespace: string) => ({
  iss: 'https://kubernetes.default.svc.cluster.local',
  sub: `system:serviceaccount:${subject}`,
  aud: ['dex-token-broker'],
  'kubernetes.io': { namespace },
})
const acme = (id: string, scope: string) => [
  ...['x-partner', 'acme'],
  ...['x-client-id', id, 'x-client-secret', 'theirs', 'x-scope', scope],
]
const noMatch = { rule: undefined, result: 'no rule matches' }

const cases: readonly Case[] = [
  { recipe: '01-machine', claims: pipeline, rule: 'the pipeline', result: 'orders' },
  // A person who claims to be the machine.
  {
    recipe: '01-machine',
    claims: { ...pipeline, sub: 'jane', aud: 'orders', groups: ['client:ci-pipeline'] },
    ...noMatch,
  },
  {
    recipe: '02-groups',
    claims: { ...staff, groups: ['support'] },
    rule: 'engineers and support',
    result: 'orders',
  },
  {
    recipe: '02-groups',
    claims: { ...staff, groups: ['support', 'suspended'] },
    rule: 'suspended',
    result: 'this account is suspended',
  },
  { recipe: '02-groups', claims: staff, ...noMatch },
  { recipe: '03-read-only', claims: staff, rule: 'everyone may read', result: 'orders' },
  { recipe: '03-read-only', claims: staff, method: 'DELETE', ...noMatch },
  {
    recipe: '03-read-only',
    claims: { ...staff, groups: ['orders-admins'] },
    method: 'DELETE',
    rule: 'admins may write',
    result: 'orders-admin',
  },
  { recipe: '04-path', claims: staff, path: '/orders/17?x=1', rule: 'orders', result: 'orders' },
  {
    recipe: '04-path',
    claims: staff,
    path: '/%61dmin/users',
    rule: 'administration',
    result: 'only administrators may do this',
  },
  {
    recipe: '04-path',
    claims: { ...staff, groups: ['admins'] },
    path: '/admin/users',
    rule: 'orders',
    result: 'orders',
  },
  {
    recipe: '04-path',
    claims: staff,
    path: '/orders/%2e%2e/admin/users',
    rule: 'administration',
    result: 'the path is ambiguous',
  },
  {
    recipe: '05-service-account',
    claims: account('jobs:nightly', 'jobs'),
    rule: 'nightly jobs',
    result: 'orders',
  },
  {
    recipe: '05-service-account',
    claims: account('orders:api', 'orders'),
    rule: 'the namespace of the team',
    result: 'orders',
  },
  { recipe: '05-service-account', claims: account('web:api', 'web'), ...noMatch },
  { recipe: '06-two-issuers', claims: staff, rule: 'people', result: 'orders' },
  { recipe: '06-two-issuers', claims: pipeline, rule: 'machines', result: 'batch' },
  // A person of Dex: the second rule is for machines only.
  { recipe: '06-two-issuers', claims: { ...pipeline, sub: 'jane', aud: 'orders' }, ...noMatch },
  {
    recipe: '07-own-credentials',
    headers: acme('acme-orders', 'openid'),
    rule: 'partners bring their own client',
    result: 'caller',
  },
  {
    recipe: '07-own-credentials',
    headers: acme('reports', 'openid'),
    rule: 'partners bring their own client',
    result: 'the client id is not allowed',
  },
  {
    recipe: '07-own-credentials',
    headers: acme('acme-orders', 'openid groups'),
    rule: 'partners bring their own client',
    result: 'the scope is not allowed',
  },
  { recipe: '07-own-credentials', headers: ['x-partner', 'other'], ...noMatch },
  {
    recipe: '08-pass',
    claims: { ...staff, acr: 'mfa' },
    rule: 'people with a second factor',
    result: 'pass',
  },
  { recipe: '08-pass', claims: staff, ...noMatch },
  {
    recipe: '09-headers',
    claims: { ...staff, groups: ['engineering', 'support'] },
    headers: ['x-caller', 'forged', 'x-caller-email', 'forged@example.com'],
    rule: 'engineers',
    result: 'orders',
    set: { 'x-caller': 'jane', 'x-caller-groups': 'engineering,support' },
  },
  { recipe: '09-headers', claims: staff, ...noMatch },
  {
    recipe: '10-pattern',
    claims: staff,
    rule: 'everyone else',
    result: 'orders',
    scope: 'openid email',
  },
  {
    recipe: '11-exchange',
    claims: { ...staff, groups: ['engineering'] },
    rule: 'engineers keep their own name',
    result: 'exchange by staff with orders',
  },
  { recipe: '11-exchange', claims: { ...staff, groups: ['support'] }, ...noMatch },
  { recipe: '11-exchange', claims: pipeline, rule: 'the pipeline', result: 'orders' },
  {
    recipe: '12-route',
    claims: { ...staff, groups: ['batch'] },
    context: { tier: 'batch' },
    rule: 'batch routes',
    result: 'batch',
  },
  { recipe: '12-route', claims: staff, context: { tier: 'batch' }, ...noMatch },
  { recipe: '12-route', claims: staff, rule: 'other routes', result: 'orders' },
]

test('the page shows every recipe, at least ten, and each has a case', () => {
  expect(recipes.length).toBeGreaterThanOrEqual(10)
  for (const recipe of recipes) {
    expect(page).toContain(`<!-- snippet: docs/rules/${recipe} -->`)
    expect(cases.map(each => `${each.recipe}.yaml`)).toContain(recipe)
  }
})

describe('a recipe', () => {
  test.each(cases)('$recipe: $method $path for $claims.sub gives $result', async each => {
    const { recipe, claims, method = 'GET', path = '/', headers = [], rule, result, set = {} } = each
    const { scope, audiences, context = {} } = each
    const config = loadConfig({
      ...{
        CONFIG_FILE: new URL(`${recipe}.yaml`, folder).pathname,
        DEX_ISSUER: 'https://dex.example.com/dex',
      },
      ...secrets,
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
    })
    const caller: ExplainRequest['caller'] = claims && { claims, issuer: undefined }
    const explained = await explain(config, { caller, method, path, headers, context })
    expect(resultOf(explained)).toBe(result)
    const decided = explained.rules?.find(({ outcome }) => outcome === 'matched' || outcome === 'refused')
    expect(decided?.rule).toBe(rule)
    const { choice = {} } = explained
    expect({ scope: undefined, audiences: undefined, ...choice }).toMatchObject({ scope, audiences })
    if (explained.verdict.outcome !== 'allow') return
    const { set: sent, remove } = explained.verdict
    expect(sent).toMatchObject(set)
    for (const forged of headers.filter(
      (_, index) => index % 2 === 0 && config.broker.backendHeaders?.includes(headers[index] ?? ''),
    )) {
      expect(Object.hasOwn(sent, forged) || remove.includes(forged)).toBe(true)
    }
  })

  test('10-pattern keeps contractors out at night', async () => {
    const url = new URL('10-pattern.yaml', folder)
    const config = loadConfig({
      CONFIG_FILE: url.pathname,
      DEX_ISSUER: 'https://dex.example.com/dex',
      ...secrets,
    })
    const decide = (subject: string, time: string) =>
      config.file?.rules?.compiled.choose(
        { issuer: 'staff', subject, groups: [], claims: {}, token: '' },
        {
          ...{ method: 'GET', path: '/', isPathClear: true, rawPath: '/', query: '', host: '', headers: {} },
          ...{ time: Date.parse(time), context: {} },
        },
      )
    expect(decide('ext-7', '2026-11-27T02:00:00Z')).toMatchObject({
      deny: 'contractors work from 6 in the morning',
    })
    expect(decide('ext-7', '2026-11-27T12:00:00Z')).toMatchObject({ client: 'orders', scope: 'openid email' })
    expect(decide('next-7', '2026-11-27T02:00:00Z')).toMatchObject({ client: 'orders' })
  })
})

function resultOf({ verdict, choice }: Explained): string {
  if (verdict.outcome !== 'allow') return JSON.parse(verdict.body).error_description
  if (choice === undefined) return 'no choice'
  if ('pass' in choice) return 'pass'
  if ('exchange' in choice) return `exchange by ${choice.exchange.connectorId} with ${choice.exchange.client}`
  return 'client' in choice ? choice.client : ''
}
