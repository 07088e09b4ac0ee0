import { setTimeout as delay } from 'node:timers/promises'
import { createCertificateAuthority } from '@broker/testing'
import { expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { brokerName, startTlsSystem } from '../harness/tls-system.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'

const credentials = { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret' }

describeWithEnvoy('Envoy and the broker over mutual TLS', () => {
  test('pass a request with a token, and without its credentials', async () => {
    await using system = await startTlsSystem()
    const answer = await ask(system.envoy.port('ingress'), { headers: credentials, target: '/orders' })
    expect(answer.status).toBe(200)
    const [received] = system.backend.requests
    expect(received?.header('authorization')).toEqual([expect.stringMatching(/^Bearer /)])
    expect(received?.header('x-client-id')).toEqual([])
    expect(received?.header('x-client-secret')).toEqual([])
    expect(await system.envoy.stat('cluster.dex_token_broker.ssl.handshake')).toBeGreaterThan(0)
  })

  test('agree about the health of the broker', async () => {
    await using system = await startTlsSystem()
    await expect.poll(() => system.envoy.healthyBrokers(), { timeout: 15_000 }).toBe(1)
  })

  test('pass a request after a time in which the broker was too busy for handshakes', async () => {
    await using system = await startTlsSystem()
    system.broker.process.signal('SIGSTOP')
    const answer = ask(system.envoy.port('ingress'), { headers: credentials, target: '/orders' })
    // real time: of Envoy, for which three tries of one second each would be over
    await delay(3_300)
    system.broker.process.signal('SIGCONT')
    expect((await answer).status).toBe(200)
    expect(await system.envoy.stat('cluster.dex_token_broker.upstream_cx_connect_timeout')).toBe(0)
  })

  test('refuse a request with wrong credentials, and one without', async () => {
    await using system = await startTlsSystem()
    const port = system.envoy.port('ingress')
    const wrong = { ...credentials, 'x-client-secret': 'wrong' }
    expect((await ask(port, { headers: wrong, target: '/orders' })).status).toBe(401)
    expect((await ask(port, { target: '/orders' })).status).toBe(401)
    expect(system.backend.requests).toEqual([])
  })

  test.each([
    [
      'shows the certificate of an unknown authority',
      { envoyIdentity: createCertificateAuthority().issue('x') },
    ],
    ['does not trust the authority of the broker', { trusted: createCertificateAuthority('other').cert }],
    [
      'has another name than the broker allows',
      { environment: { TLS_CLIENT_SANS: 'spiffe://cluster.local/ns/envoy/sa/envoy' } },
    ],
  ])('let nothing pass when Envoy %s', async (_, options) => {
    await using system = await startTlsSystem(options)
    const answer = await ask(system.envoy.port('ingress'), { headers: credentials, target: '/orders' })
    expect(answer.status).toBe(503)
    expect(system.backend.requests).toEqual([])
    await system.broker.process.until('the line', () =>
      system.broker.process.log.includes('TLS connections refused'),
    )
  })

  test('let nothing pass when the certificate of the broker is for another name', async () => {
    const authority = createCertificateAuthority()
    const brokerIdentity = authority.issue(`other-${brokerName}`)
    await using system = await startTlsSystem({ authority, brokerIdentity })
    const answer = await ask(system.envoy.port('ingress'), { headers: credentials, target: '/orders' })
    expect(answer.status).toBe(503)
    expect(system.backend.requests).toEqual([])
  })
})
