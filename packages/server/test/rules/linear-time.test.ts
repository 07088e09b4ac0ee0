import type { IncomingRequest } from '@broker/core'
import { afterEach, describe, expect, it } from 'vitest'
import { celFunctions } from '../../src/rules/cel-functions.ts'
import { callerWith, requestWith, resultOf, rulesOf } from './rule-fixtures.ts'

const hostile = `${'a'.repeat(40)}!`

/** Each use of a native regular expression, with the text that it ran on. */
const uses: string[] = []
const restore: (() => void)[] = []
const regexMethods = [
  'exec',
  'test',
  Symbol.match,
  Symbol.matchAll,
  Symbol.replace,
  Symbol.search,
  Symbol.split,
] as const

function watchNativeExpressions(): void {
  for (const method of regexMethods) {
    const original = Object.getOwnPropertyDescriptor(RegExp.prototype, method)
    if (original === undefined) continue
    const call = original.value as (...args: unknown[]) => unknown
    Object.defineProperty(RegExp.prototype, method, {
      ...original,
      value(this: RegExp, ...args: unknown[]): unknown {
        uses.push(`${String(this)} on ${String(args[0]).slice(0, 60)}`)
        return call.apply(this, args)
      },
    })
    restore.push(() => Object.defineProperty(RegExp.prototype, method, original))
  }
}

afterEach(() => {
  for (const each of restore.splice(0)) each()
  uses.length = 0
})

const caller = callerWith({
  subject: hostile,
  groups: ['a', hostile],
  claims: {
    text: hostile,
    list: ['a', hostile],
    time: '2026-11-26T00:00:00Z',
    number: '12',
    map: { [hostile]: hostile },
  },
})
const request: IncomingRequest = requestWith({
  path: `/${hostile}`,
  rawPath: `/${hostile}`,
  query: hostile,
  headers: { 'x-a': hostile },
  context: { a: hostile },
})

/** Every function of rules on text of the caller. */
const everyFunction = [
  'caller.subject.matches("^(a+)+$")',
  'matches(caller.subject, "^(a+)+$")',
  'caller.claims.text.matches("^(a+)+$")',
  'matches(caller.claims.text, "^(a+)+$")',
  'request.path.matches("^/(a+)+$") && context.a.matches("(a|aa)+$") && request.headers["x-a"].matches("^(a+)+$")',
  'caller.groups.exists(g, g.matches("^(a+)+b$"))',
  'caller.groups.exists_one(g, matches(g, "^(a+)+b$"))',
  'caller.groups.all(g, g.matches("^(a+)+b$"))',
  'caller.groups.filter(g, g.matches("^(a+)+b$")).size() == 3',
  'caller.groups.map(g, g.matches("^(a+)+b$")).size() == 3',
  'caller.groups.map(g, g.matches("^(a+)+b$"), g).size() == 3',
  'caller.claims.map.exists(k, k.matches("^(a+)+b$"))',
  '(caller.subject.matches("^(a+)+$") ? "a" : "b") == "a"',
  '{"a": caller.subject.matches("^(a+)+$")}.a && [caller.subject.matches("^(a+)+$")][0]',
  'caller.subject.contains("ab") || caller.claims.text.contains(request.query + "b")',
  'caller.subject.split("b").size() == 7 || caller.claims.text.split("b").size() == 7',
  'caller.subject.startsWith("b") || caller.subject.endsWith("b") || caller.subject.trim() == "b"',
  'caller.subject.lowerAscii() == "b" || caller.subject.upperAscii() == "b" || caller.subject.substring(1, 2) == "b"',
  'caller.groups.join(",") == "b" || size(caller.subject) == 3 || caller.subject.size() == 3',
  'timestamp(caller.claims.time) > request.time',
  'int(caller.claims.number) == 3 || double(caller.claims.number) == 3.0 || string(caller.claims.number) == "b"',
  'type(caller.subject) == int || dyn(caller.subject) == 3 || bool("false") || request.time - duration("1h") > request.time',
  'request.time.getHours("Europe/Berlin") == 99 || request.time.getDayOfWeek("UTC") == 99 || request.time.getDate() == 99',
  'has(caller.claims.none) || request.time.getDayOfMonth() == 99 || request.time.getFullYear() == 99 || request.time.getMonth() == 99',
  'request.time.getMinutes("UTC") == 99 || request.time.getSeconds("UTC") == 99 || request.time.getMilliseconds("UTC") == 9999',
]

describe('the cost of rules', () => {
  it('runs no native regular expression on text of the caller', () => {
    const rules = everyFunction.map((when, index) =>
      rulesOf([{ name: `rule ${index}`, when, client: 'reports' }]),
    )
    watchNativeExpressions()
    expect('watched'.split(/a/)).toHaveLength(2)
    expect(uses).toContain('/a/ on watched')
    uses.length = 0
    for (const each of rules) each.choose(caller, request)
    // The literal of duration() is the configuration's.
    expect(uses.filter(use => !use.endsWith(' on 1h'))).toEqual([])
  })

  it('evaluates every function of rules here', () => {
    for (const name of celFunctions) {
      expect([name, everyFunction.some(text => text.includes(`${name}(`))]).toEqual([name, true])
    }
    for (const when of everyFunction) expect([when, resultOf(when, caller, request)]).not.toContain('failed')
  })

  it('is bounded for patterns that native expressions need years for', () => {
    for (const text of [hostile, 'a'.repeat(8_000)]) {
      for (const pattern of ['^(a+)+$', '(a|a)*b', '(.*)*(.*)*(.*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
        const rules = rulesOf([
          { name: 'r', when: `caller.subject.matches("${pattern}")`, client: 'reports' },
        ])
        rules.choose(callerWith(), requestWith())
        const before = performance.now()
        rules.choose(callerWith({ subject: text }), requestWith())
        expect([pattern, text.length, performance.now() - before < 50]).toEqual([pattern, text.length, true])
      }
    }
  })

  it('is bounded by the lengths of what is searched, sought and split', () => {
    const of = (when: string, subject: string) =>
      resultOf(when, callerWith({ subject, groups: ['a', 'a', 'a'] }))
    expect(of('caller.subject.matches("b")', 'a'.repeat(100_000))).toBe(false)
    expect(of('caller.subject.matches("b")', 'a'.repeat(4_000_001))).toBe('failed')
    expect(of('caller.groups.exists(g, caller.subject.matches("b"))', 'a'.repeat(100_000))).toBe('failed')
    expect(of('(caller.subject + "b").contains(caller.subject + "c")', 'a'.repeat(600))).toBe(false)
    expect(of('(caller.subject + "b").contains(caller.subject + "c")', 'a'.repeat(2_000))).toBe('failed')
    expect(of('caller.subject.split(caller.subject).size() == 1', 'a'.repeat(2_001))).toBe('failed')
    expect(of('caller.subject.split(" ").exists(s, s == "b")', 'a '.repeat(199))).toBe(false)
    expect(of('caller.subject.split(" ").exists(s, s == "b")', 'a '.repeat(200))).toBe('failed')
    const operand = 'caller.subject.contains("b")'
    expect(of([operand, operand, operand].join(' || '), 'a'.repeat(200_000))).toBe('failed')
    expect(of([1, 2, 3].map(() => `!${operand}`).join(' && '), 'a'.repeat(200_000))).toBe(true)
  })

  it('finds the same as a native expression on harmless text', () => {
    for (const [pattern, text] of [
      ['^/orders/[0-9]+$', '/orders/12'],
      ['^/orders/[0-9]+$', '/orders/x'],
      ['ö+', 'aöö'],
      ['a|b', 'cab'],
      ['^$', ''],
      ['(?i)ABC', 'xabcx'],
    ] as const) {
      const native = pattern.startsWith('(?i)')
        ? new RegExp(pattern.slice(4), 'iu')
        : new RegExp(pattern, 'u')
      expect(resultOf(`caller.subject.matches("${pattern}")`, callerWith({ subject: text }))).toBe(
        native.test(text),
      )
    }
  })
})
