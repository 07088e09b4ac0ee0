import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ruleLimits } from '../../src/rules/rule-limits.ts'
import { callerWith, requestWith, resultOf, rulesOf, ruleWhen } from './rule-fixtures.ts'

describe('rules that read context', () => {
  it('treat an absent key like an absent claim', () => {
    for (const [when, result] of [
      ['context.tier == "gold"', 'failed'],
      ['has(context.tier)', false],
      ['"tier" in context', false],
      ['has(context.tier) && context.tier == "gold"', false],
      ['!("tier" in context) || context.tier == "gold"', true],
    ] as const) {
      expect([when, resultOf(when)]).toEqual([when, result])
    }
    const gold = requestWith({ context: { tier: 'gold' } })
    for (const when of ['context.tier == "gold"', 'has(context.tier)', '"tier" in context']) {
      expect([when, resultOf(when, callerWith(), gold)]).toEqual([when, true])
    }
  })

  it('judge each context by itself, for one caller and in any order', () => {
    const rules = rulesOf([
      { name: 'gold', when: 'caller.issuer == "dex" && context.tier == "gold"', client: 'reports' },
      {
        name: 'any tier',
        when: '"engineering" in caller.groups && has(context.tier)',
        client: 'billing',
        set: { 'x-tier': 'context.tier', 'x-caller': 'caller.subject' },
      },
    ])
    const caller = callerWith()
    const choose = (context: Readonly<Record<string, string>>) =>
      rules.choose(caller, requestWith({ context }))
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom('gold', 'silver', 'x'))), tiers => {
        for (const tier of tiers) {
          const choice = choose(tier === null ? {} : { tier })
          if (tier === 'gold') expect(choice).toMatchObject({ client: 'reports', rule: 'gold' })
          else if (tier === null) expect(choice).toMatchObject({ deny: expect.any(String) })
          else
            expect(choice).toMatchObject({ client: 'billing', set: { 'x-tier': tier, 'x-caller': 'alice' } })
        }
      }),
    )
  })

  it('refuse a context with too many entries, unless the caller alone decides', () => {
    const contextOf = (entries: number) =>
      Object.fromEntries(Array.from({ length: entries }, (_, index) => [`key-${index}`, 'value']))
    const most = requestWith({ context: contextOf(ruleLimits.listItems) })
    const more = requestWith({ context: contextOf(ruleLimits.listItems + 1) })
    const when = 'context.exists(key, key == "key-1")'
    expect(resultOf(when, callerWith(), most)).toBe(true)
    expect(ruleWhen(when).explain(callerWith(), more).rules[0]).toMatchObject({
      outcome: 'refused',
      problem: 'the rule reads context, which has more than 200 entries',
    })
    expect(ruleWhen(when).choose(callerWith(), more)).toMatchObject({
      deny: 'the context has too many entries',
    })
    expect(resultOf('request.method == "GET"', callerWith(), more)).toBe(true)
    expect(resultOf(`caller.subject == "bob" && ${when}`, callerWith(), more)).toBe(false)
    const set = rulesOf([
      { name: 'tier', when: 'true', client: 'reports', set: { 'x-tier': 'context.tier' } },
    ])
    expect(set.choose(callerWith(), more)).toMatchObject({ deny: 'the context has too many entries' })
  })
})
