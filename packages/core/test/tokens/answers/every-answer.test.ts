import { Agent } from 'undici'
import { beforeAll, describe, expect, test } from 'vitest'
import { bodies, clients, codings, contentTypes, headers, statuses, transports } from './answer-columns.ts'
import { type Combination, combinations, factsOf, nameOf } from './answer-combinations.ts'
import { type AnswerRule, answerRules } from './answer-rules.ts'
import { startOddGateway } from './odd-gateway.ts'
import { Callers, hintOf, type Outcome } from './what-callers-meet.ts'

/** Combinations that are under way at the same time. */
const concurrency = 32

interface Case {
  readonly combination: Combination
  readonly rule: AnswerRule
  readonly met: Outcome
}

const all = combinations()
const cases: Case[] = []

beforeAll(async () => {
  await using gateway = await startOddGateway()
  const agent = new Agent({ connections: 2 * concurrency })
  const waiting = all.values()
  const work = async () => {
    const callers = new Callers(gateway, agent)
    for (const combination of waiting) {
      cases.push({ combination, rule: ruleFor(combination), met: await callers.meet(combination) })
    }
    await callers.close()
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  await agent.destroy()
}, 120_000)

function ruleFor(combination: Combination): AnswerRule {
  const facts = factsOf(combination)
  const rule = answerRules.find(({ applies }) => applies(facts))
  if (rule === undefined) throw new Error(`no rule applies to ${nameOf(combination)}`)
  return rule
}

function expectedOf(combination: Combination, rule: AnswerRule): Outcome {
  const { retryAfterMs } = factsOf(combination)
  const { code, status, transient, livingToken } = rule
  const isObeyed = rule.retryAfter === 'obeyed' && retryAfterMs !== undefined
  return {
    code,
    status,
    transient,
    livingToken,
    hint: hintOf(rule.hint),
    retryAfterMs: rule.retryAfter === 'ignored' ? undefined : retryAfterMs,
    requests: rule.retried && !isObeyed ? 3 : 1,
    next: isObeyed ? 'pauses' : rule.next,
  }
}

describe('every answer is judged as its rule says', () => {
  test.each(answerRules.map(rule => [rule.when, rule] as const))('%s', (_, rule) => {
    const own = cases.filter(({ rule: applied }) => applied === rule)
    expect(own.length, 'no combination reaches this rule').toBeGreaterThan(0)
    const wrong = own.filter(({ combination, met }) => !isEqual(met, expectedOf(combination, rule)))
    const [first] = wrong
    if (first === undefined) return
    const name = `${nameOf(first.combination)} (${wrong.length} of ${own.length} combinations of this rule)`
    expect(first.met, name).toEqual(expectedOf(first.combination, rule))
  })
})

const isEqual = (a: Outcome, b: Outcome) =>
  (Object.keys(a) as (keyof Outcome)[]).every(member => a[member] === b[member])

describe('the combinations', () => {
  test('are a few thousand, and each was tried', () => {
    expect(all.length).toBe(3_652)
    expect(cases.length).toBe(all.length)
  })

  test.each([
    ['status', statuses],
    ['body', Object.keys(bodies)],
    ['coding', Object.keys(codings)],
    ['contentType', Object.keys(contentTypes)],
    ['headers', Object.keys(headers)],
    ['whose', Object.keys(clients)],
    ['transport', Object.keys(transports)],
  ] as const)('use every value of %s', (column, values) => {
    const used = new Set<unknown>(all.map(combination => combination[column]))
    expect(values.filter(value => !used.has(value))).toEqual([])
  })
})
