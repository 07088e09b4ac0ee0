import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callerWith, requestWith, resultOf, rulesOf, ruleWhen, unclearRequest } from './rule-fixtures.ts'

/** What CEL says of an expression: a failure is a value too. */
type Result = boolean | 'failed'
interface Sample {
  readonly text: string
  readonly value: (facts: Facts) => Result
}
interface Facts {
  readonly subject: string
  readonly groups: readonly string[]
  readonly method: string
  readonly host: string
  readonly level: unknown
}

const host = fc.constantFrom('a', 'b', '7')
const word = fc.constantFrom('a', 'b', 'ab')
const atoms: fc.Arbitrary<Sample> = fc.oneof(
  fc.boolean().map(value => ({ text: String(value), value: () => value })),
  word.map(text => ({
    text: `caller.subject == "${text}"`,
    value: ({ subject }: Facts) => subject === text,
  })),
  word.map(text => ({ text: `request.method != "${text}"`, value: ({ method }: Facts) => method !== text })),
  host.map(text => ({ text: `request.host == "${text}"`, value: ({ host }: Facts) => host === text })),
  fc.constant({
    text: 'int(request.host) > 0',
    value: ({ host }: Facts): Result => (host === '7' ? true : 'failed'),
  }),
  fc.tuple(word, host).map(([method, host]) => ({
    text: `(request.method == "${method}" || request.host == "${host}")`,
    value: (facts: Facts) => facts.method === method || facts.host === host,
  })),
  word.map(text => ({
    text: `"${text}" in caller.groups`,
    value: ({ groups }: Facts) => groups.includes(text),
  })),
  word.map(text => ({
    text: `caller.groups.exists(g, g.startsWith("${text}"))`,
    value: ({ groups }: Facts) => groups.some(group => group.startsWith(text)),
  })),
  word.map(text => ({
    text: `caller.subject.matches("^${text}")`,
    value: ({ subject }: Facts) => subject.startsWith(text),
  })),
  fc.constant({ text: 'has(caller.claims.level)', value: ({ level }: Facts) => level !== undefined }),
  fc.integer({ min: 0, max: 3 }).map(limit => ({
    text: `caller.claims.level >= ${limit}`,
    value: ({ level }: Facts): Result => (typeof level === 'number' ? level >= limit : 'failed'),
  })),
)

const { sample } = fc.letrec<{ sample: Sample }>(tie => ({
  sample: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atoms,
    tie('sample').map(({ text, value }) => ({
      text: `!(${text})`,
      value: (facts: Facts) => not(value(facts)),
    })),
    fc.tuple(tie('sample'), tie('sample')).map(([left, right]) => ({
      text: `(${left.text}) && (${right.text})`,
      value: (facts: Facts) => and(left.value(facts), right.value(facts)),
    })),
    fc.tuple(tie('sample'), tie('sample')).map(([left, right]) => ({
      text: `(${left.text}) || (${right.text})`,
      value: (facts: Facts) => not(and(not(left.value(facts)), not(right.value(facts)))),
    })),
    fc.tuple(tie('sample'), tie('sample'), tie('sample')).map(([condition, yes, no]) => ({
      text: `(${condition.text}) ? (${yes.text}) : (${no.text})`,
      value: (facts: Facts) => {
        const chosen = condition.value(facts)
        return chosen === 'failed' ? chosen : chosen ? yes.value(facts) : no.value(facts)
      },
    })),
  ),
}))

function not(value: Result): Result {
  return value === 'failed' ? value : !value
}

function and(left: Result, right: Result): Result {
  if (left === false || right === false) return false
  return left === 'failed' || right === 'failed' ? 'failed' : true
}

const facts: fc.Arbitrary<Facts> = fc.record({
  subject: word,
  groups: fc.array(word, { maxLength: 3 }),
  method: word,
  host,
  level: fc.constantFrom(undefined, 0, 1, 2.5, 3, '2', null, true, [1]),
})

function checkOf({ subject, groups, method, host, level }: Facts) {
  const claims = level === undefined ? {} : { level }
  return [callerWith({ subject, groups, claims }), requestWith({ method, host })] as const
}

describe('random rules', () => {
  it('give what a plain evaluator of the same grammar gives', () => {
    fc.assert(
      fc.property(sample, fc.array(facts, { minLength: 1, maxLength: 4 }), ({ text, value }, many) => {
        fc.pre(text.length < 2_000)
        const rules = ruleWhen(text)
        for (const each of many) {
          const outcome = rules.explain(...checkOf(each)).rules[0]?.outcome
          const expected = { true: 'matched', false: 'not matched', failed: 'failed' }[String(value(each))]
          expect(outcome).toBe(expected)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('give the same again for the same caller', () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 4 }),
        facts,
        facts,
        (samples, first, second) => {
          fc.pre(samples.every(({ text }) => text.length < 2_000))
          const definitions = samples.map(({ text }, index) => ({
            name: `r${index}`,
            when: text,
            client: 'reports',
          }))
          const rules = rulesOf(definitions)
          const [caller, request] = checkOf(first)
          const other = checkOf(second)[1]
          const cold = rules.choose(caller, request)
          rules.choose(caller, other)
          expect(rules.choose(caller, request)).toEqual(cold)
          expect(rulesOf(definitions).choose(caller, other)).toEqual(rules.choose(caller, other))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('are decided by the first that matches or fails', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), facts, (samples, each) => {
        fc.pre(samples.every(({ text }) => text.length < 2_000))
        const rules = rulesOf(
          samples.map(({ text }, index) => ({ name: `r${index}`, when: text, client: 'reports' })),
        )
        const choice = rules.choose(...checkOf(each))
        const index = samples.findIndex(({ value }) => value(each) !== false)
        const expected =
          index === -1
            ? { deny: 'no rule matches' }
            : samples[index]?.value(each) === true
              ? { client: 'reports', rule: `r${index}` }
              : { deny: 'a rule cannot be evaluated', rule: `r${index}` }
        expect(choice).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  it('refuse an unclear path at the turn of the first rule that reads it, also for a caller seen before', () => {
    const reading = fc
      .tuple(sample, fc.boolean(), fc.boolean())
      .map(([{ text, value }, readsPath, isLast]) => {
        if (!readsPath) return { text, value, readsPath }
        const path = 'request.path == "/orders/1"'
        return { text: isLast ? `(${text}) && ${path}` : `${path} && (${text})`, value, readsPath }
      })
    const requests = fc.array(fc.record({ facts, isClear: fc.boolean() }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 5 }),
        facts,
        requests,
        (samples, first, many) => {
          fc.pre(samples.every(({ text }) => text.length < 2_000))
          const rules = rulesOf(
            samples.map(({ text }, index) => ({ name: `r${index}`, when: text, client: 'reports' })),
          )
          const [caller] = checkOf(first)
          for (const { facts, isClear } of many) {
            const all = { ...first, method: facts.method, host: facts.host }
            const { method, host } = all
            const request = isClear
              ? requestWith({ method, host })
              : unclearRequest('/a//b', { method, host })
            const index = samples.findIndex(
              ({ value, readsPath }) => (readsPath && !isClear) || value(all) !== false,
            )
            const decisive = samples[index]
            const expected =
              decisive === undefined
                ? { deny: 'no rule matches' }
                : decisive.readsPath && !isClear
                  ? { deny: 'the path is ambiguous', rule: `r${index}` }
                  : decisive.value(all) === true
                    ? { client: 'reports', rule: `r${index}` }
                    : { deny: 'a rule cannot be evaluated', rule: `r${index}` }
            expect(rules.choose(caller, request)).toEqual(expected)
            expect(rules.explain(caller, request).choice).toEqual(expected)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('never throw, and never allow by a failure, whatever the claims are', () => {
    const rules = [
      'caller.claims.a == "b" && caller.claims.list.exists(e, e == caller.claims.a)',
      'caller.claims.list[0].a > 3 || caller.claims.a.size() > 2',
      'caller.claims.exists(k, caller.claims[k] == "b")',
      'caller.claims.a + caller.claims.b == caller.claims.c',
      'caller.claims.a.matches("^a") ? caller.claims.b == true : caller.claims.c in caller.claims.list',
    ].map(when => rulesOf([{ name: 'r', when, client: 'reports', set: { 'x-a': 'caller.claims.a' } }]))
    const key = fc.constantFrom('a', 'b', 'c', 'list', '__proto__', 'constructor', 'toString')
    const claims = fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom('a', 'b', 3, true, null)), {
      noNullPrototype: false,
    })
    fc.assert(
      fc.property(claims, fc.boolean(), (value, isClear) => {
        for (const each of rules) {
          const caller = callerWith({ claims: value as Record<string, unknown> })
          const request = isClear ? requestWith() : unclearRequest()
          const choice = each.choose(caller, request)
          const outcome = each.explain(caller, request).rules[0]?.outcome
          expect('deny' in choice).toBe(outcome !== 'matched')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('count 3 and 3.0 in a claim as one number', () => {
    expect(resultOf('caller.claims.level == 3', callerWith({ claims: JSON.parse('{"level": 3.0}') }))).toBe(
      true,
    )
  })
})
