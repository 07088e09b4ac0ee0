import { startRecordingServer } from '@broker/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Choice, ChooseClient } from '../../src/check/choose-client.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { CallersKey } from '../gate/callers-issuer.ts'
import { ManualClock } from '../manual-clock.ts'

const groups = ['shop', 'billing', 'admins'] as const
const methods = ['GET', 'POST'] as const
const paths = ['/', '/admin', '/admin/a', '/adm%69n', '/admin%2Fa', '/x/../admin', undefined] as const
const clients = ['a', 'b', 'c'] as const

interface Facts {
  readonly groups: readonly string[]
  readonly method: string
  readonly path: string | undefined
  /** Whether the caller sends client credentials. */
  readonly hasOwn: boolean
}

/** Conditions, as data: the broker's functions and the reference read them in different ways. */
type Condition =
  | { readonly kind: 'always' | 'never' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'method'; readonly method: string }
  | { readonly kind: 'under'; readonly prefix: string }
  | { readonly kind: 'both'; readonly of: readonly [Condition, Condition] }

type Action = `client ${string}` | 'caller' | 'pass' | 'deny' | 'unusable'

interface Rule {
  readonly name: string
  readonly when: Condition
  readonly action: Action
}

const simple: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom<Condition>({ kind: 'always' }, { kind: 'never' }),
  fc.constantFrom(...groups).map((group): Condition => ({ kind: 'group', group })),
  fc.constantFrom(...methods).map((method): Condition => ({ kind: 'method', method })),
  fc.constantFrom<Condition>({ kind: 'under', prefix: '/admin' }, { kind: 'under', prefix: '/' }),
)
const condition = fc.oneof(
  simple,
  fc.tuple(simple, simple).map((of): Condition => ({ kind: 'both', of })),
)
const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...clients).map((name): Action => `client ${name}`) },
  { weight: 4, arbitrary: fc.constantFrom<Action>('caller', 'pass', 'deny', 'unusable') },
)
const rules = fc
  .array(fc.record({ when: condition, action }), { maxLength: 6 })
  .map(list => list.map((rule, index): Rule => ({ name: `rule ${index}`, ...rule })))
const facts: fc.Arbitrary<Facts> = fc.record({
  groups: fc.subarray([...groups]),
  method: fc.constantFrom(...methods),
  path: fc.constantFrom(...paths),
  hasOwn: fc.boolean(),
})

/** What the rules mean, by a table of the few paths above: `unclear` when a rule that decides has to read an unclear one. */
const clearPaths: Readonly<Record<string, string>> = {
  '/': '/',
  '/admin': '/admin',
  '/admin/a': '/admin/a',
  '/adm%69n': '/admin',
}

function expected(list: readonly Rule[], { groups: own, method, path, hasOwn }: Facts): string {
  const holds = (when: Condition): boolean | 'unclear' => {
    if (when.kind === 'group') return own.includes(when.group)
    if (when.kind === 'method') return method === when.method
    if (when.kind === 'both') {
      const [first, second] = when.of
      const left = holds(first)
      return left === true ? holds(second) : left
    }
    if (when.kind !== 'under') return when.kind === 'always'
    const clear = clearPaths[path ?? 'none']
    return clear === undefined
      ? 'unclear'
      : clear === when.prefix || clear.startsWith(`${when.prefix.replace(/\/$/, '')}/`)
  }
  for (const rule of list) {
    const result = holds(rule.when)
    if (result === false) continue
    if (result === 'unclear') return 'forbidden'
    if (rule.action === 'pass') return 'own JWT'
    if (rule.action === 'deny') return 'forbidden'
    if (rule.action === 'unusable') return 'server_error'
    if (rule.action === 'caller') return hasOwn ? 'token of own' : 'missing_credentials'
    return `token of ${rule.action.slice('client '.length)}`
  }
  return 'forbidden'
}

const choices: Readonly<Record<string, Choice>> = {
  caller: { client: 'caller' },
  pass: { pass: true },
  deny: { deny: 'no' },
  unusable: { client: 'd' },
}

/** The rules as a user of the library writes them. */
function firstMatch(list: readonly Rule[]): ChooseClient {
  return (caller, request) => {
    const matches = (when: Condition): boolean => {
      switch (when.kind) {
        case 'always':
          return true
        case 'never':
          return false
        case 'group':
          return Object(caller?.claims['groups']).includes(when.group)
        case 'method':
          return request.method === when.method
        case 'under':
          return `${request.path}/`.startsWith(when.prefix === '/' ? '/' : `${when.prefix}/`)
        case 'both':
          return when.of.every(matches)
      }
    }
    const rule = list.find(({ when }) => matches(when))
    if (rule === undefined) return { deny: 'no rule matches' }
    return {
      ...(choices[rule.action] ?? { client: rule.action.slice('client '.length) }),
      rule: rule.name,
    } as Choice
  }
}

/** The token endpoint of the test answers with the id of the client that asks. */
function observed(verdict: Verdict): string {
  if (verdict.outcome !== 'allow') return verdict.code
  const token = verdict.set['authorization']?.replace('Bearer ', '')
  return token === undefined ? 'own JWT' : token.replace('token-of-', 'token of ')
}

/** Checks each caller with one list of rules, first with a cold cache and then with a warm one. */
async function contradiction(
  chooser: (list: readonly Rule[]) => ChooseClient,
  numRuns: number,
  seen: Set<string> = new Set(),
): Promise<string | undefined> {
  const key = new CallersKey('ES256')
  const clock = new ManualClock()
  await using server = await startRecordingServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.path === '/keys') {
      response.end(JSON.stringify({ keys: [key.jwk()] }))
      return
    }
    const basic = (request.headers.authorization ?? '').replace('Basic ', '')
    const [clientId] = Buffer.from(basic, 'base64').toString().split(':')
    response.end(JSON.stringify({ access_token: `token-of-${clientId}`, expires_in: 3600 }))
  })
  const jwts = new Map<string, string>()
  const jwtOf = (own: readonly string[]) => {
    const known =
      jwts.get(own.join()) ?? key.jwt({ sub: 'alice', groups: own, exp: clock.wall() / 1000 + 3600 })
    jwts.set(own.join(), known)
    return known
  }
  const details = await fc.check(
    fc.asyncProperty(rules, fc.array(facts, { minLength: 1, maxLength: 4 }), async (list, callers) => {
      await using broker = new TokenBroker({
        tokenEndpoint: `${server.url}/token`,
        client: { clientId: 'default', clientSecret: 's' },
        clients: Object.fromEntries(clients.map(name => [name, { clientId: name, clientSecret: 's' }])),
        gate: { jwksUri: `${server.url}/keys` },
        chooseClient: chooser(list),
        clock,
      })
      for (const caller of [...callers, ...callers]) {
        const own = caller.hasOwn ? ['x-client-id', 'own', 'x-client-secret', 's'] : []
        const headers = ['authorization', jwtOf(caller.groups), ...own]
        const { method, path } = caller
        const found = observed(await broker.decide({ headers, method, path }))
        const wanted = expected(list, caller)
        if (found !== wanted)
          throw new Error(`${found} instead of ${wanted}: ${JSON.stringify([list, caller])}`)
        seen.add(found)
      }
    }),
    { numRuns },
  )
  return details.failed ? (details.errorInstance as Error).message : undefined
}

test('whatever the rules, their order and the caller: nobody gets a client that the first matching rule does not name', async () => {
  const seen = new Set<string>()
  expect(await contradiction(firstMatch, 400, seen)).toBeUndefined()
  // The property says nothing about outcomes that never came.
  expect([...seen].sort()).toEqual([
    'forbidden',
    'missing_credentials',
    'own JWT',
    'server_error',
    ...['a', 'b', 'c', 'own'].map(name => `token of ${name}`),
  ])
})

test.each<[string, (list: readonly Rule[]) => ChooseClient]>([
  ['the last match', list => firstMatch([...list].reverse())],
  [
    'a client when nothing matches',
    list => firstMatch([...list, { name: 'rest', when: { kind: 'always' }, action: 'client a' }]),
  ],
  [
    'the default client when nothing matches',
    list => (caller, request) => {
      const choice = firstMatch(list)(caller, request)
      return 'deny' in choice && choice.rule === undefined ? { client: 'default' } : choice
    },
  ],
  [
    'the raw path',
    list => (caller, request) =>
      firstMatch(list)(caller, { ...request, method: request.method, path: request.rawPath }),
  ],
])('the property finds rules that take %s', async (_fault, chooser) => {
  expect(await contradiction(chooser, 400)).toMatch(/ instead of /)
})
