import type { ExchangeChoice } from '@broker/core'
import { describe, expect, it } from 'vitest'
import { callerWith, requestWith, resultOf, rulesOf, ruleWhen, unclearRequest } from './rule-fixtures.ts'

const denied = { deny: 'a rule cannot be evaluated', rule: 'only' }

describe('Rules', () => {
  it('let the first rule that matches decide', () => {
    const rules = rulesOf([
      { name: 'no', when: 'request.method == "PUT"', deny: 'read only' },
      {
        name: 'first',
        when: '"engineering" in caller.groups',
        client: 'reports',
        scope: 'groups',
        audiences: ['a'],
      },
      { name: 'second', when: 'true', client: 'caller', allowedClientIds: ['x'], allowedScopes: ['openid'] },
    ])
    expect(rules.choose(callerWith(), requestWith())).toEqual({
      client: 'reports',
      scope: 'groups',
      audiences: ['a'],
      rule: 'first',
    })
    expect(rules.choose(callerWith({ groups: [] }), requestWith())).toEqual({
      client: 'caller',
      allowedClientIds: ['x'],
      allowedScopes: ['openid'],
      rule: 'second',
    })
    expect(rules.choose(callerWith(), requestWith({ method: 'PUT' }))).toEqual({
      deny: 'read only',
      rule: 'no',
    })
  })

  it('choose an exchange, as the same frozen object for each request', () => {
    const exchange = {
      connectorId: 'staff',
      client: 'reports',
      scope: 'openid email',
      audiences: ['orders'],
      subjectTokenType: 'access_token',
    } as const
    const rules = rulesOf(
      [
        {
          name: 'jane',
          when: 'caller.subject == "jane"',
          exchange: { connectorId: 'staff', client: 'default' },
        },
        { name: 'all', when: 'true', exchange, set: { 'x-host': 'request.host' } },
      ],
      { clients: ['default', 'reports'] },
    )
    const jane = callerWith({ subject: 'jane' })
    const choice = rules.choose(jane, requestWith())
    expect(choice).toEqual({ exchange: { connectorId: 'staff', client: 'default' }, rule: 'jane' })
    expect(rules.choose(callerWith({ subject: 'jane' }), requestWith())).toBe(choice)

    const [one, other] = ['a.example.com', 'b.example.com'].map(host =>
      rules.choose(callerWith(), requestWith({ host })),
    ) as [ExchangeChoice, ExchangeChoice]
    expect(one).toEqual({ exchange, rule: 'all', set: { 'x-host': 'a.example.com' } })
    expect(other.set).toEqual({ 'x-host': 'b.example.com' })
    expect(other.exchange).toBe(one.exchange)
    expect(Object.isFrozen(one.exchange)).toBe(true)
  })

  it('deny what no rule matches', () => {
    expect(ruleWhen('caller.subject == "bob"').choose(callerWith(), requestWith())).toEqual({
      deny: 'no rule matches',
    })
    expect(rulesOf([]).choose(undefined, requestWith())).toEqual({ deny: 'no rule matches' })
  })

  it('know the member clientId of machines only', () => {
    expect(resultOf('has(caller.clientId)')).toBe(false)
    expect(resultOf('caller.clientId == "ci"')).toBe('failed')
    expect(resultOf('has(caller.clientId) && caller.clientId == "ci"')).toBe(false)
    expect(resultOf('has(caller.clientId) && caller.clientId == "ci"', callerWith({ clientId: 'ci' }))).toBe(
      true,
    )
  })

  it('know all members of request and context', () => {
    const request = requestWith({
      query: 'a=1',
      headers: { 'x-team': 'a', 'x-tag': ['b', 'c'] },
      context: { route: 'orders' },
    })
    for (const when of [
      'request.method == "GET" && request.path == "/orders/1" && request.rawPath == "/orders/1"',
      'request.query == "a=1" && request.host == "orders.example.com"',
      'request.headers["x-team"] == "a" && "c" in request.headers["x-tag"] && !("x-none" in request.headers)',
      'request.time > timestamp("2026-11-26T12:00:00Z") && request.time.getHours() == 12',
      'request.time.getHours("Europe/Berlin") == 13',
      'context.route == "orders" && !has(context.client)',
    ]) {
      expect([when, resultOf(when, callerWith(), request)]).toEqual([when, true])
    }
  })

  it('read numbers of the claims as int where they are whole, else as double', () => {
    const caller = callerWith({ claims: { level: 3, half: 3.5, big: 2 ** 53, minus: -1 } })
    for (const when of [
      'caller.claims.level == 3',
      'caller.claims.level >= 3 && caller.claims.level < 4',
      'caller.claims.level >= 2.5',
      'caller.claims.half > 3 && caller.claims.half == 3.5',
      'caller.claims.minus == -1',
      'caller.claims.level + 1 == 4',
      'type(caller.claims.level) == int && type(caller.claims.half) == double',
      'type(caller.claims.big) == double',
    ]) {
      expect([when, resultOf(when, caller)]).toEqual([when, true])
    }
  })

  it('treat claims with the names of prototypes as claims', () => {
    const none = callerWith({ claims: { a: {} } })
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const claims = JSON.parse(`{"${name}": "x", "nested": {"${name}": {"a": 1}}}`) as Record<
        string,
        unknown
      >
      expect(
        resultOf(
          `caller.claims.${name} == "x" && caller.claims.nested.${name}.a == 1`,
          callerWith({ claims }),
        ),
      ).toBe(true)
      expect(resultOf(`has(caller.claims.${name}) || "${name}" in caller.claims.a`, none)).toBe(false)
      expect(resultOf(`caller.claims.${name} == "x"`, none)).toBe('failed')
      expect(resultOf(`caller.claims["a"]["${name}"] == "x"`, none)).toBe('failed')
    }
    expect(resultOf('context["__proto__"] == "x"')).toBe('failed')
    const headers = JSON.parse('{"constructor": "x", "__proto__": "y"}') as Record<string, string>
    const context = headers
    for (const variable of ['request.headers', 'context']) {
      const when = `dyn(${variable}).constructor == "x" && ${variable}.__proto__ == "y" && ${variable}.size() == 2`
      expect([when, resultOf(when, none, requestWith({ headers, context }))]).toEqual([when, true])
    }
  })

  it('let false beat a failure in &&, and true in ||, as CEL does', () => {
    expect(resultOf('caller.claims.none == 1 && request.method == "PUT"')).toBe(false)
    expect(resultOf('request.method == "PUT" && caller.claims.none == 1')).toBe(false)
    expect(resultOf('caller.claims.none == 1 && request.method == "GET"')).toBe('failed')
    expect(resultOf('caller.claims.none == 1 || request.method == "GET"')).toBe(true)
  })

  it('deny when an expression fails, even before a rule that would match', () => {
    const reports: unknown[] = []
    let now = 0
    const rules = rulesOf(
      [
        { name: 'fails', when: 'caller.claims[caller.claims.key] == "a"', client: 'reports' },
        { name: 'all', when: 'true', client: 'billing' },
      ],
      { onFailure: report => reports.push(report), now: () => now },
    )
    const caller = () => callerWith({ claims: { key: 'private-value' } })
    for (let count = 0; count < 3; count += 1) {
      expect(rules.choose(caller(), requestWith())).toEqual({
        deny: 'a rule cannot be evaluated',
        rule: 'fails',
      })
    }
    now = 10_000
    rules.choose(caller(), requestWith())
    const problem = 'a value is absent in caller.claims[caller.claims.key]'
    expect(reports).toEqual([
      { rule: 'fails', problem, suppressed: 0 },
      { rule: 'fails', problem, suppressed: 2 },
    ])
    expect(JSON.stringify(reports)).not.toContain('private-value')
  })

  it('deny when an operand is not a boolean', () => {
    const rules = ruleWhen('caller.claims.admin && request.method == "GET"')
    expect(rules.choose(callerWith({ claims: { admin: 'yes' } }), requestWith())).toEqual(denied)
    expect(rules.choose(callerWith({ claims: { admin: true } }), requestWith())).toMatchObject({
      client: 'reports',
    })
  })

  it('deny at the turn of a rule that reads a claim with more than 200 items', () => {
    const many = Array.from({ length: 201 }, (_, index) => index)
    const rules = rulesOf([
      { name: 'without claims', when: 'caller.subject == "root"', client: 'billing' },
      { name: 'claims', when: 'has(caller.claims.a)', client: 'reports' },
    ])
    const tooMany = { deny: 'a claim has too many items', rule: 'claims' }
    for (const claims of [
      { many },
      { a: { b: [many] } },
      { a: Object.fromEntries(many.map(each => [each, 1])) },
    ]) {
      expect(rules.choose(callerWith({ claims }), requestWith())).toEqual(tooMany)
      expect(rules.choose(callerWith({ claims, subject: 'root' }), requestWith())).toMatchObject({
        client: 'billing',
      })
    }
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
    expect(rules.choose(callerWith({ claims: { deep } }), requestWith())).toEqual(tooMany)
    expect(rules.choose(callerWith({ claims: { a: many.slice(1) } }), requestWith())).toMatchObject({
      client: 'reports',
    })
    const groups = many.map(String)
    expect(resultOf('"1" in caller.groups', callerWith({ groups }))).toBe('refused')
    expect(resultOf('"1" in caller.groups', callerWith({ groups: groups.slice(1) }))).toBe(true)
  })

  it('deny an unclear path at the turn of a rule that reads it, whatever the rule says', () => {
    for (const when of [
      'request.path == "/"',
      'request.method == "PUT" && request.path == "/"',
      'true || request.path == "/"',
      'has(request.path)',
      'caller.groups.exists(g, request.path.startsWith(g))',
      '[request.path].size() == 1',
    ]) {
      const rules = rulesOf([
        { name: 'earlier', when: 'request.method == "HEAD"', client: 'billing' },
        { name: 'path', when, client: 'reports' },
        { name: 'later', when: 'true', client: 'billing' },
      ])
      expect(rules.choose(callerWith(), unclearRequest())).toEqual({
        deny: 'the path is ambiguous',
        rule: 'path',
      })
      const head = Object.defineProperty(unclearRequest(), 'method', { value: 'HEAD' })
      expect(rules.choose(callerWith(), head)).toMatchObject({ client: 'billing', rule: 'earlier' })
    }
    const set = { 'x-path': 'request.path' }
    const rules = rulesOf([{ name: 'sets', when: 'request.method == "PUT"', client: 'reports', set }])
    expect(rules.choose(callerWith(), unclearRequest())).toEqual({
      deny: 'the path is ambiguous',
      rule: 'sets',
    })
  })

  it('give the raw path and the query of an unclear path, and deny when the path is unknown', () => {
    const rules = ruleWhen('request.rawPath.startsWith("/a/") && request.query == ""')
    expect(rules.choose(callerWith(), unclearRequest())).toMatchObject({ client: 'reports' })
    expect(rules.choose(callerWith(), unclearRequest(''))).toEqual({
      deny: 'the path is unknown',
      rule: 'only',
    })
    expect(ruleWhen('request.query != "a"').choose(callerWith(), unclearRequest(''))).toEqual({
      deny: 'the path is unknown',
      rule: 'only',
    })
  })

  it('remember nothing of one caller for another', () => {
    const rules = ruleWhen('caller.subject == "alice" && "a" in caller.groups && caller.issuer == "dex"')
    const claims = Object.freeze({})
    const alice = callerWith({ claims, groups: ['a'] })
    for (let round = 0; round < 2; round += 1) {
      for (const other of [{ subject: 'bob' }, { groups: ['b'] }, { issuer: 'staff' }]) {
        expect(rules.choose(alice, requestWith())).toMatchObject({ client: 'reports' })
        expect(rules.choose({ ...alice, ...other }, requestWith())).toEqual({ deny: 'no rule matches' })
      }
    }
  })

  it('evaluate what reads the request each time, also for the same caller', () => {
    const rules = rulesOf([
      {
        name: 'a',
        when: 'caller.subject == "alice" && request.method == "GET"',
        client: 'reports',
        set: { 'x-both': 'caller.subject + request.host' },
      },
      { name: 'b', when: 'request.time.getMinutes() < 30', client: 'billing' },
    ])
    const caller = callerWith()
    expect(rules.choose(caller, requestWith())).toMatchObject({
      set: { 'x-both': 'aliceorders.example.com' },
    })
    expect(rules.choose(caller, requestWith({ host: 'b' }))).toMatchObject({ set: { 'x-both': 'aliceb' } })
    expect(rules.choose(caller, requestWith({ method: 'PUT' }))).toEqual({ deny: 'no rule matches' })
    expect(rules.choose(caller, requestWith({ method: 'PUT', time: 0 }))).toMatchObject({ client: 'billing' })
  })

  it('set headers to texts, and remove those that are absent or of another type', () => {
    const rules = rulesOf([
      {
        name: 'a',
        when: 'true',
        client: 'reports',
        set: {
          'X-Subject': 'caller.subject',
          'x-email': 'caller.claims.email',
          'x-number': 'caller.claims.level',
          'x-null': 'caller.claims.nothing',
          'x-first': 'caller.groups[0]',
        },
      },
      { name: 'b', when: 'true', pass: true, set: { 'x-subject': '"b"', 'x-other': 'string(1)' } },
    ])
    expect(rules.backendHeaders).toEqual(['x-subject', 'x-email', 'x-number', 'x-null', 'x-first', 'x-other'])
    expect(
      rules.choose(callerWith({ groups: [], claims: { level: 3, nothing: null } }), requestWith()),
    ).toEqual({
      client: 'reports',
      rule: 'a',
      set: { 'x-subject': 'alice' },
    })
    const wrong = rulesOf([
      { name: 'only', when: 'true', client: 'reports', set: { 'x-a': 'caller.claims.a + "b"' } },
    ])
    expect(wrong.choose(callerWith({ claims: { a: 1 } }), requestWith())).toEqual(denied)
  })

  it('explain each rule and the choice, without a report', () => {
    const reports: unknown[] = []
    const rules = rulesOf(
      [
        {
          name: 'operand',
          when: 'caller.subject == "alice" && "x" in caller.groups && true',
          client: 'reports',
        },
        { name: 'whole', when: 'request.method == "PUT" || false', client: 'reports' },
        { name: 'match', when: 'request.method == "GET"', client: 'billing' },
        { name: 'after', when: 'true', pass: true },
      ],
      { onFailure: report => reports.push(report) },
    )
    expect(rules.explain(callerWith(), requestWith())).toEqual({
      rules: [
        { rule: 'operand', outcome: 'not matched', falseOperand: '"x" in caller.groups' },
        { rule: 'whole', outcome: 'not matched', falseOperand: 'request.method == "PUT" || false' },
        { rule: 'match', outcome: 'matched' },
        { rule: 'after', outcome: 'not reached' },
      ],
      choice: { client: 'billing', rule: 'match' },
    })
    const failing = ruleWhen('caller.claims.level >= 3', { onFailure: report => reports.push(report) })
    expect(failing.explain(callerWith({ claims: { level: 'secret' } }), requestWith())).toEqual({
      rules: [
        {
          rule: 'only',
          outcome: 'failed',
          problem: 'a value has the wrong type in caller.claims.level >= 3',
        },
      ],
      choice: denied,
    })
    expect(ruleWhen('request.path == "/"').explain(callerWith(), unclearRequest())).toEqual({
      rules: [{ rule: 'only', outcome: 'refused', problem: expect.stringContaining('request.path') }],
      choice: { deny: 'the path is ambiguous', rule: 'only' },
    })
    expect(reports).toEqual([])
  })
})
