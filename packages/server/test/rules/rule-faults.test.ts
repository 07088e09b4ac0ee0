import { describe, expect, it } from 'vitest'
import type { RuleDefinition } from '../../src/rules/rule-definition.ts'
import { faultsOf } from './rule-fixtures.ts'

const when = 'caller.subject == "alice"'

function problemsOf(text: string, options: Parameters<typeof faultsOf>[1] = {}) {
  const faults = faultsOf([{ name: 'only', when: text, client: 'reports' }], options)
  return faults.map(({ offset, problem }) => [offset, problem])
}

describe('faults in rules', () => {
  it.each<[string, number | undefined, RegExp]>([
    ['1 +', 3, /^unexpected token: the end/],
    ['request.method = "GET"', 15, /compare with ==/],
    ['caller.subject == 3', 0, /no such overload: string == int/],
    ['caller.clams.level == 1', 7, /no member "clams"; did you mean "claims"\?/],
    ['request.pth == "/"', 8, /no member "pth"; did you mean "path"\?/],
    ['calle.subject == "a"', 0, /no variable "calle"; did you mean "caller"\?/],
    ['caller.subject == alice', 18, /no variable "alice"; write a text in quotes/],
    ['caller.subject.startWith("a")', 15, /no function "startWith"; did you mean "startsWith"\?/],
    ['caller == caller', 0, /caller can only be used with one of its members/],
    ['request[context.member] == "a"', 0, /request can only be used with one of its members/],
    ['{"a": request}.a.path == "/"', 6, /request can only be used with one of its members/],
    ['cel.bind(r, request, true)', 4, /no function "bind"/],
    ['caller.claims.admin', undefined, /compare it, for example with == true/],
    ['caller.subject', undefined, /the result is a string and must be a bool/],
    ['caller.groups.exists(caller, true)', 21, /"caller" already has a meaning/],
    ['caller.groups.exists(g, caller.groups.all(h, h == g))', 24, /all cannot be used inside another macro/],
    ['caller.groups.map(g, g).exists(g, g == "a")', 0, /map cannot be used inside another macro/],
    ['(caller.groups + caller.groups).exists(g, g == "a")', 1, /nothing that is calculated/],
    ['caller.groups.constructor == "a"', 14, /list index must be int/],
    ['caller.groups.exists("g", true)', 21, /takes a variable and an expression/],
    ['caller.subject.matches(caller.claims.p)', 0, /literal pattern/],
    ['caller.groups.exists(g, g.matches(g))', 24, /literal pattern/],
    ['caller.subject.matches("(?=a)")', 23, /not valid in RE2 syntax: invalid or unsupported Perl syntax/],
    ['caller.subject.matches("((a{100}){10})")', 23, /the pattern is too large/],
    ['caller.subject.matchesLinear("a")', 15, /no function "matchesLinear"/],
    ['duration(caller.subject) > duration("1h")', 0, /duration takes a literal text/],
    ['has(caller)', 0, /has takes a member/],
    ['request.time.getHours("Europe/Berln") > 8', 22, /no time zone "Europe\/Berln"/],
    ['request.headers["X-Team"] == "a"', 16, /lower case here: "x-team"/],
    ['caller.issuer == "stff"', 17, /no issuer "stff"; did you mean "staff"\?/],
    ['caller.issuer in ["dex", "stff"]', 25, /no issuer "stff"/],
    [`"${'a'.repeat(5_000)}" == caller.subject`, undefined, /longer than 4096 characters/],
    [Array(300).fill('1 == 1').join('||'), expect.any(Number) as unknown as number, /more than 500 parts/],
    [
      `${'('.repeat(60)}true${')'.repeat(60)}`,
      expect.any(Number) as unknown as number,
      /deeper than 50 levels/,
    ],
  ])('%s', (text, offset, problem) => {
    expect(problemsOf(text)).toContainEqual([offset, expect.stringMatching(problem)])
  })

  it('are found all at once, each with its place', () => {
    const definitions: RuleDefinition[] = [
      { name: 'a', when, client: 'report' },
      { name: 'a', when: 'caller.x == 1 && request.y == 2', pass: true, set: { 'x-a': '1', 'X-A': '"b"' } },
      { name: 'c', when, deny: 'no', set: { 'x-b': '"b"' } },
      { name: 'd', when },
      { name: 'e', when, client: 'caller', scope: 'openid' },
      { name: 'f', when, client: 'billing', allowedScopes: ['openid'] },
      { name: 'g', when, client: 'billing', pass: true },
      { name: 'h', when, deny: 'nö' },
    ]
    expect(faultsOf(definitions)).toEqual([
      { path: ['rules', 0, 'client'], problem: 'there is no client "report"; did you mean "reports"?' },
      { path: ['rules', 1, 'name'], problem: 'rule 1 has the name "a" already; choose another one' },
      { path: ['rules', 1, 'when'], offset: 7, problem: expect.stringContaining('no member "x"') },
      { path: ['rules', 1, 'when'], offset: 25, problem: expect.stringContaining('no member "y"') },
      {
        path: ['rules', 1, 'set', 'x-a'],
        problem: 'the result is an int and must be a string; convert it with string()',
      },
      { path: ['rules', 2, 'set'], problem: 'a rule that denies sets no headers' },
      { path: ['rules', 3], problem: 'a rule needs exactly one of client, exchange, pass and deny' },
      { path: ['rules', 4, 'scope'], problem: 'scope needs a named client' },
      { path: ['rules', 5, 'allowedScopes'], problem: 'allowedScopes needs the client "caller"' },
      { path: ['rules', 6], problem: 'a rule needs exactly one of client, exchange, pass and deny' },
      { path: ['rules', 7, 'deny'], problem: 'the text for the caller needs printable ASCII characters' },
    ])
  })

  it('in an exchange have its path: an unknown client, the client of callers, scopes beside it, a second result', () => {
    const exchange = { connectorId: 'staff', client: 'reports' }
    expect(
      faultsOf([
        { name: 'a', when, exchange: { ...exchange, client: 'report' } },
        { name: 'b', when, exchange: { ...exchange, client: 'caller' } },
        { name: 'c', when, exchange, scope: 'openid', audiences: ['orders'], allowedScopes: ['openid'] },
        { name: 'd', when, exchange, client: 'reports' },
        { name: 'e', when, exchange, set: { 'x-a': 'caller.subject' } },
      ]),
    ).toEqual([
      {
        path: ['rules', 0, 'exchange', 'client'],
        problem: 'there is no client "report"; did you mean "reports"?',
      },
      {
        path: ['rules', 1, 'exchange', 'client'],
        problem: 'exchange needs a configured client, and "caller" means the credentials of the caller',
      },
      { path: ['rules', 2, 'scope'], problem: 'scope belongs inside exchange' },
      { path: ['rules', 2, 'audiences'], problem: 'audiences belongs inside exchange' },
      { path: ['rules', 2, 'allowedScopes'], problem: 'allowedScopes needs the client "caller"' },
      { path: ['rules', 3], problem: 'a rule needs exactly one of client, exchange, pass and deny' },
    ])
  })

  it('name a header that one rule sets twice', () => {
    const set = { 'x-a': '"a"', 'X-A': '"b"' }
    expect(faultsOf([{ name: 'a', when, client: 'reports', set }])).toEqual([
      { path: ['rules', 0, 'set', 'X-A'], problem: 'the rule sets the header x-a twice' },
    ])
  })

  it('without a gate are: reading the caller, and passing or exchanging a JWT', () => {
    const faults = faultsOf(
      [
        { name: 'reads', when, client: 'reports' },
        { name: 'sets', when: 'true', client: 'reports', set: { 'x-a': 'caller.subject' } },
        { name: 'passes', when: 'true', pass: true },
        { name: 'exchanges', when: 'true', exchange: { connectorId: 'staff', client: 'reports' } },
        { name: 'fine', when: 'request.method == "GET"', client: 'caller' },
      ],
      { hasGate: false, issuers: [] },
    )
    expect(faults.map(({ path }) => path.join('.'))).toEqual([
      'rules.0.when',
      'rules.1.set.x-a',
      'rules.2.pass',
      'rules.3.exchange',
    ])
  })

  it('are none in the rules of the guide', () => {
    expect(
      faultsOf([
        {
          name: 'jobs',
          when: 'caller.issuer == "dex" && caller.subject.startsWith("jobs:")',
          client: 'reports',
        },
        {
          name: 'ci',
          when: '"client:ci" in caller.groups && request.method == "GET" && request.path.matches("^/orders/[0-9]+$")',
          client: 'billing',
          set: { 'x-caller': 'caller.subject', 'x-email': 'caller.claims.email' },
        },
        {
          name: 'scopes',
          when: 'has(caller.claims.scope) && caller.claims.scope.split(" ").exists(s, s == "orders")',
          pass: true,
        },
        { name: 'nights', when: 'request.time.getHours("Europe/Berlin") > 20', deny: 'closed at night' },
      ]),
    ).toEqual([])
  })
})
