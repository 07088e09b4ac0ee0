import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { problemKinds } from '../../src/admin/page/problem.ts'
import { problems } from '../../src/admin/page/problems.ts'
import { at, circuit, healthy, issuer, keySet, outage, withActivity, withDex } from './page-facts.ts'
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

  test('name the endpoint for client certificates by itself, unless it is the same one', () => {
    const endpoint = issuer.tokenEndpoint as NonNullable<typeof issuer.tokenEndpoint>
    const failing = { ...circuit, outage: outage() }
    const failingAt = (url: string) => ({
      ...endpoint,
      url,
      circuits: { accepted: failing, unknown: failing, exchange: failing },
    })
    const summaries = (changes: object) => problems(withDex(changes)).map(({ summary }) => summary)
    const reason = 'the token endpoint is unavailable (ECONNREFUSED)'
    expect(summaries({ mtlsTokenEndpoint: failingAt('https://mtls.example.com/token') })).toEqual([
      `Token requests to Dex for client certificates fail: ${reason}`,
    ])
    const same = failingAt(endpoint.url ?? '')
    expect(summaries({ tokenEndpoint: same, mtlsTokenEndpoint: same })).toEqual([
      `Token requests to Dex fail: ${reason}`,
    ])
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

  test('say an outage that is the same for all clients of Dex once, and name the clients else', () => {
    const failing = { ...circuit, outage: outage() }
    const withCircuits = (changes: object) => {
      const endpoint = issuer.tokenEndpoint as NonNullable<typeof issuer.tokenEndpoint>
      const circuits = { ...endpoint.circuits, ...changes }
      return problems(withDex({ tokenEndpoint: { ...endpoint, circuits } }))
    }
    const unknown = { ...circuit, outage: outage({}, 2) }
    expect(withCircuits({ accepted: failing, unknown, exchange: failing })).toMatchObject([
      {
        severity: 'critical',
        summary: 'Token requests to Dex fail: the token endpoint is unavailable (ECONNREFUSED)',
      },
    ])
    const timedOut = {
      ...circuit,
      outage: outage({ message: 'the token endpoint timed out', cause: undefined }),
    }
    expect(
      withCircuits({ accepted: failing, unknown, exchange: timedOut }).map(({ summary }) => summary),
    ).toEqual([
      'Token requests to Dex fail for clients that Dex has accepted before and clients that Dex has not accepted yet: the token endpoint is unavailable (ECONNREFUSED)',
      'Token requests to Dex fail for token exchanges: the token endpoint timed out',
    ])
  })

  test('have the line of the log about failed checks', () => {
    const line = {
      level: 'error',
      message: 'token request failed: the token endpoint answered with status 404',
      code: 'invalid_token_response',
      hint: 'correct the path of DEX_TOKEN_URL',
    } as const
    const facts = withActivity({ checks: { invalid_token_response: 2 }, failedSince: since })
    const errors = [
      {
        reason: undefined,
        client: undefined,
        cause: undefined,
        url: undefined,
        faults: [],
        count: 1,
        firstAt: at,
        lastAt: at,
        ...line,
      },
    ]
    expect(problems({ ...facts, errors })).toMatchObject([
      {
        summary: `2 of 2 checks in the last 5 min failed (invalid_token_response 2: ${line.message})`,
        action: line.hint,
      },
    ])
  })

  test('name the issuer of a gate without a name by its role', () => {
    const facts = withDex({ name: 'default', keySet: { ...keySet, outage: outage() } })
    expect(problems(facts)[0]?.summary).toMatch(/^The key set of the JWT issuer is /)
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
