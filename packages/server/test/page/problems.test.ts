import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { problemKinds } from '../../src/admin/page/problem.ts'
import { problems } from '../../src/admin/page/problems.ts'
import { at, healthy, outage, withActivity, withDex } from './page-facts.ts'
import { client, problemCases, since, withCircuit } from './problem-cases.ts'

describe('the problems of the status page', () => {
  test.each(problemCases)('name %s', (_what, facts, expected) => {
    expect(problems(facts)).toMatchObject([expected])
  })

  test('are none when nothing is wrong, and none right after a start', () => {
    expect(problems(healthy)).toEqual([])
    const started = withActivity({ lastCheckAt: undefined, checks: {}, totalChecks: 0, spanMs: 0 })
    expect(problems({ ...started, startedAt: at })).toEqual([])
  })

  test('have the hint of the log for the reason that is the most frequent', () => {
    const line = {
      level: 'warn',
      message: 'JWTs refused',
      reason: 'audience',
      hint: 'compare JWT_AUDIENCE with aud of the JWTs',
      code: undefined,
      client: undefined,
      cause: undefined,
      url: undefined,
      faults: [],
      count: 1,
      firstAt: at,
      lastAt: at,
    } as const
    const facts = withActivity({ checks: { invalid_token: 40 }, jwtRefusals: { expired: 1, audience: 39 } })
    const errors = [{ ...line, reason: 'expired', hint: 'another' }, line]
    expect(problems({ ...facts, errors })).toMatchObject([{ action: line.hint }])
  })

  test('say an outage of Dex once, and not for each client and each answer', () => {
    const facts = withCircuit({ state: 'open', outage: outage() })
    const clients = [{ ...client, outage: outage() }]
    const activity = { ...facts.activity, checks: { token_endpoint_unavailable: 9 }, failedSince: since }
    const found = problems({ ...facts, activity, broker: { ...facts.broker, clients } })
    expect(found.map(({ kind }) => kind)).toEqual(['circuit-open'])
  })

  test('do not include a few refused callers among many, or an outage that is over', () => {
    expect(problems(withActivity({ checks: { allow: 1, invalid_token: 500 } }))).toEqual([])
    expect(problems(withCircuit({ outage: { ...outage(), until: at - 1 } }))).toEqual([])
  })

  test('have a section in the runbook, and a test here, each of them', () => {
    const runbook = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')
    const anchors = [...runbook.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
    const tested = new Set(problemCases.map(([, , { kind }]) => kind))
    for (const kind of problemKinds) {
      expect(anchors).toContain(kind)
      expect(tested).toContain(kind)
    }
  })

  test('begin with the worst', () => {
    const facts = withDex({ clockSkew: { skewMs: 5_000, measuredAt: at } })
    const activity = { ...facts.activity, checks: { forbidden: 20 }, droppedLines: 3 }
    expect(problems({ ...facts, activity }).map(({ severity, kind }) => [severity, kind])).toEqual([
      ['critical', 'everybody-refused'],
      ['warning', 'clock-skew'],
      ['warning', 'log-lines-dropped'],
    ])
  })
})

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-')
}
