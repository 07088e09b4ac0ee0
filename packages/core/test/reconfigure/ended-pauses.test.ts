import { expect, test } from 'vitest'
import type { Transport } from '../../src/shared/http/transport.ts'
import { failureOf, orders } from '../broker-with-dex.ts'
import { startReconfigurable } from './reconfigurable-broker.ts'

/** A transport without the certificate of Dex, and one with it. */
const untrusting: Transport = async () => {
  throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'SELF_SIGNED_CERT_IN_CHAIN' } })
}
const trusting: Transport = (url, request) => fetch(url, request as RequestInit) as never

test('a reconfiguration that repairs the transport is tried at once: discovery, token and key set', async () => {
  await using running = await startReconfigurable(dex => ({
    tokenEndpoint: undefined,
    issuer: dex.issuer,
    client: orders,
    gate: { audience: 'svc' },
    transport: untrusting,
  }))
  const { broker, dex, clock } = running
  const jwt = dex.signJwt({ iss: dex.issuer, aud: 'svc', sub: 'a', exp: clock.wall() / 1000 + 600 })
  for (const pauseMs of [1_000, 2_000, 4_000, 4_000, 8_000]) {
    await failureOf(broker.getToken())
    expect((await failureOf(broker.verify(jwt))).code).toBe('jwks_unavailable')
    clock.advance(pauseMs)
  }
  await failureOf(broker.verify(jwt))
  running.reconfigure({ transport: trusting })
  await broker.verify(jwt)
  await broker.getToken()
})

test('pauses grow further when a reconfiguration did not help', async () => {
  await using running = await startReconfigurable(dex => ({ gate: { jwksUri: dex.jwksUri } }))
  const { broker, dex, clock } = running
  dex.setFault('keys', { kind: 'html' })
  const jwt = dex.signJwt({ sub: 'a', exp: clock.wall() / 1000 + 600 })
  const retryAfterMs = async () => {
    await failureOf(broker.verify(jwt))
    return (await failureOf(broker.verify(jwt))).retryAfterMs
  }
  expect(await retryAfterMs()).toBe(1_000)
  running.reconfigure()
  expect(await retryAfterMs()).toBe(2_000)
  expect(dex.counts.keysRequests).toBe(2)
})
