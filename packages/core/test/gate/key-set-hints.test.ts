import { expect, test } from 'vitest'
import { failureOf, startBrokerWithDex } from '../broker-with-dex.ts'

const lost = 'correct the path of'

test.each([
  [302, 'to the final URL', 'to the final URL'],
  [404, `${lost} gate.jwksUri: the server does not have it`, `${lost} jwksUri: for Dex`],
  [500, 'the issuer of the JWTs failed internally', 'Dex failed internally'],
  [502, 'the issuer of the JWTs is running', 'Dex is running'],
  [503, 'the issuer of the JWTs is running', 'Dex is running'],
  [504, 'the issuer of the JWTs is running', 'Dex is running'],
  [304, 'check gate.jwksUri', 'check jwksUri'],
  [522, 'the issuer of the JWTs is running', 'Dex is running'],
  [418, 'check gate.jwksUri', 'check jwksUri'],
])('the hint for a key set with status %d names its server', async (status, ofCallers, ofDex) => {
  for (const [options, hint] of [
    [({ jwksUri }: { jwksUri: string }) => ({ gate: { jwksUri } }), ofCallers],
    [({ jwksUri }: { jwksUri: string }) => ({ jwksUri, gate: {} }), ofDex],
  ] as const) {
    await using running = await startBrokerWithDex(options)
    const { broker, dex, clock, log } = running
    dex.setFault('keys', { kind: 'answer', status, body: 'none' })
    await failureOf(broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })))
    const failed = log.lines.find(({ level }) => level === 'error')
    expect(failed?.fields['hint']).toContain(hint)
  }
})

test.each([
  [408, true],
  [425, true],
  [429, true],
  [403, true],
  [503, true],
  [404, false],
  [302, false],
])('a key set with status %d is a failure that may pass: %s', async (status, transient) => {
  await using running = await startBrokerWithDex(({ jwksUri }) => ({ gate: { jwksUri } }))
  const { broker, dex, clock } = running
  dex.setFault('keys', { kind: 'answer', status, body: 'none' })
  const failure = await failureOf(broker.verify(dex.signJwt({ exp: clock.wall() / 1000 + 60 })))
  expect([failure.code, failure.transient]).toEqual(['jwks_unavailable', transient])
})
