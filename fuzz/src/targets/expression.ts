import assert from 'node:assert/strict'
import type { AuthenticatedCaller, CheckRequest } from '@broker/core'
import { ReceivedRequest } from '../../../packages/core/src/check/received-request.ts'
import { compileRules } from '../../../packages/server/src/rules/compile-rules.ts'
import type { Target } from '../target.ts'

const names = {
  clientId: 'x-client-id',
  clientSecret: 'x-client-secret',
  scope: 'x-scope',
  jwt: 'authorization',
  basic: undefined,
}
const clock = { wall: () => Date.UTC(2030, 0, 1), monotonic: () => 0 }
const options = { issuers: ['staff', 'dex'], clients: ['reports'], hasGate: true }
const caller: AuthenticatedCaller = {
  issuer: 'staff',
  subject: 'alice',
  groups: ['engineering', 'a'.repeat(2_000)],
  claims: {
    sub: 'alice',
    email: 'alice@example.com',
    groups: ['engineering'],
    age: 30,
    nested: { list: Array.from({ length: 150 }, (_, index) => index) },
  },
  token: 'a.b.c',
}
const check: CheckRequest = {
  headers: ['host', 'orders.example', 'x-tenant', 'a', 'x-tenant', 'b', 'x-long', 'ab'.repeat(2_000)],
  method: 'GET',
  path: '/orders/42/lines?x=1',
  context: { route: 'orders' },
}

/** Expressions of rules. One that compiles is evaluated: it decides or denies, in bounded time, and throws nothing. */
export const expressionTarget: Target = {
  name: 'expression',
  seeds: [
    '"client:ci" in caller.groups && request.method == "GET"',
    'caller.issuer == "staff" && "engineering" in caller.groups',
    'request.path.startsWith("/orders/") || request.host.endsWith(".example")',
    'request.headers["x-tenant"] == "a" ? true : caller.claims.age > 20',
    'caller.claims.nested.list.exists(x, x == 149) && has(caller.claims.email)',
    'request.path.matches("^/orders/[0-9]+(/lines)?$")',
    'request.path.split("/").filter(p, p != "").size() == 3',
    'timestamp("2030-01-01T00:00:00Z") <= request.time && context.route == "orders"',
  ],
  dictionary: [
    'caller.',
    'request.',
    'claims',
    '.matches("',
    '.contains(',
    '.split("',
    '.exists(x, ',
    '.all(x, ',
    '.map(x, ',
    '[',
    ']',
    '(',
    ')',
    '!',
    '&&',
    '||',
    '==',
    'in',
    '"',
    'r"',
    '\\x',
    '0x',
    '1u',
    '(a+)+$',
    '.*.*.*',
    '{',
    '?',
    'dyn(',
    'size(',
    'string(',
    'int(',
    'duration("1s")',
    'x.y.z',
  ],
  maxBytes: 5_000,
  maxCpuMs: 300,
  sources: [
    'compile-rules',
    'compiled-expression',
    'cel-environment',
    'cel-functions',
    'cel-value',
    'evaluation-budget',
    'expression-survey',
    'linear-patterns',
    'operand',
    'rules',
    'compiled-rule',
  ].map(each => `packages/server/src/rules/${each}.ts`),
  judge(input) {
    const when = input.toString()
    const compiled = compileRules(
      [
        { name: 'one', when, client: 'reports' },
        { name: 'two', when: 'true', set: { 'x-text': when }, client: 'reports' },
      ],
      options,
    )
    if ('faults' in compiled) {
      assert.ok(
        compiled.faults.length > 0 &&
          compiled.faults.every(({ problem }) => typeof problem === 'string' && problem !== ''),
      )
    }
    // Each part by itself, because most expressions give either a boolean or a text.
    for (const definition of [
      { name: 'one', when, client: 'reports' },
      { name: 'two', when: 'true', set: { 'x-text': when }, client: 'reports' },
    ]) {
      const single = compileRules([definition], options)
      if ('faults' in single) continue
      for (const who of [caller, undefined]) {
        const choice = single.rules.choose(who as never, new ReceivedRequest(check, names as never, clock))
        assert.ok('deny' in choice || 'client' in choice, JSON.stringify(choice))
      }
    }
  },
}
