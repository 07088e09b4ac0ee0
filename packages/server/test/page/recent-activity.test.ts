import { describe, expect, test } from 'vitest'
import { type Observation, RecentActivity } from '../../src/admin/page/recent-activity.ts'

const nothing: Observation = {
  at: 0,
  checks: {},
  jwtRefusals: {},
  durations: [{ upToMs: 1, count: 0 }],
  tlsRefusals: {},
  unknownTargets: 0,
  droppedLines: 0,
  configFaults: 0,
  configLoadedAt: 0,
  hits: 0,
  misses: 0,
  evictions: 0,
  eventLoopLagMs: 0,
}

/** Observations in order: when, and what had been counted until then. */
function seen(...observations: readonly Partial<Observation>[]) {
  const activity = new RecentActivity()
  for (const each of observations) activity.note({ ...nothing, ...each })
  return activity.status()
}

describe('recent activity', () => {
  test('counts what grew within five minutes, and forgets what was before', () => {
    const allow = (at: number, count: number) => ({ at, checks: { allow: count }, hits: count })
    expect(seen(allow(0, 5), allow(200_000, 8))).toMatchObject({
      spanMs: 200_000,
      checks: { allow: 3 },
      lookups: { hits: 3 },
      totalChecks: 8,
    })
    expect(seen(allow(0, 5), allow(200_000, 8), allow(400_000, 9))).toMatchObject({
      spanMs: 200_000,
      checks: { allow: 1 },
    })
  })

  test('knows when the last check came, and since when nobody passes', () => {
    const status = seen(
      { at: 10_000, checks: { allow: 1 } },
      { at: 20_000, checks: { allow: 1, invalid_token: 2 } },
      { at: 30_000, checks: { allow: 1, invalid_token: 4, overloaded: 1 } },
      { at: 40_000, checks: { allow: 1, invalid_token: 4, overloaded: 1 } },
    )
    expect(status).toMatchObject({ lastCheckAt: 30_000, refusedSince: 20_000, failedSince: 30_000 })
  })

  test('forgets refusals and failures when a check passes', () => {
    const status = seen(
      { at: 10_000, checks: { invalid_token: 2, overloaded: 1 } },
      { at: 20_000, checks: { invalid_token: 2, overloaded: 1, allow: 1 } },
    )
    expect(status).toMatchObject({ refusedSince: undefined, failedSince: undefined })
  })

  test('knows since when the configuration files have faults', () => {
    expect(seen({ at: 1, configFaults: 1 }, { at: 2, configFaults: 3 })).toMatchObject({ faultySince: 1 })
    expect(seen({ at: 1, configFaults: 1 }, { at: 2 })).toMatchObject({ faultySince: undefined })
  })

  test('knows since when TLS connections are refused, until none was within the span', () => {
    const refused = (at: number, expired: number) => ({
      at,
      tlsRefusals: { client_certificate_expired: expired },
    })
    const seenSo = [refused(1, 0), refused(10_000, 2), refused(20_000, 3)] as const
    expect(seen(...seenSo)).toMatchObject({
      tlsRefusals: { client_certificate_expired: 3 },
      tlsRefusedSince: 10_000,
    })
    expect(seen(...seenSo, refused(330_000, 3), refused(640_000, 3))).toMatchObject({
      tlsRefusals: {},
      tlsRefusedSince: undefined,
    })
  })

  test('knows since when requests are outside /check, until none was within the span', () => {
    const first = { at: 1, unknownTargets: 0 }
    const astray = [first, { at: 10_000, unknownTargets: 1 }, { at: 20_000, unknownTargets: 3 }] as const
    expect(seen(...astray)).toMatchObject({ unknownTargets: 3, astraySince: 10_000 })
    const later = [330_000, 640_000].map(at => ({ at, unknownTargets: 3 }))
    expect(seen(...astray, ...later)).toMatchObject({ unknownTargets: 0, astraySince: undefined })
  })

  test('survives a clock that is set back', () => {
    expect(seen({ at: 1_000_000 }, { at: 5, checks: { allow: 2 } })).toMatchObject({ spanMs: 0 })
    expect(seen({ at: 1_000_000 }, { at: 5 }, { at: 30_000, checks: { allow: 2 } })).toMatchObject({
      checks: { allow: 2 },
      lastCheckAt: 30_000,
    })
  })
})
