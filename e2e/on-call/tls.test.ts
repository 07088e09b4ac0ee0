import { createCertificateAuthority } from '@broker/testing'
import { expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { brokerName, startTlsSystem, type TlsSystem, type TlsSystemOptions } from '../harness/tls-system.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { expectProblem, viewOf } from './on-call-view.ts'

const authority = createCertificateAuthority()

/** Sends a request through an Envoy that cannot connect, and reads the line and the problem about it. */
async function refused(
  options: TlsSystemOptions,
  { reason, action }: { reason: string; action: RegExp },
  check: (log: string) => void,
) {
  await using system: TlsSystem = await startTlsSystem({ authority, ...options })
  const headers = { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret' }
  const answer = await ask(system.envoy.port('ingress'), { headers, target: '/orders' })
  expect(answer).toMatchObject({ status: 503, body: '' })
  const { process, metric } = system.broker
  const line = await process.until('the line', () =>
    process.log.split('\n').find(each => each.includes('TLS connections refused')),
  )
  expect(line).toContain(`"reason":"${reason}"`)
  const series = `dex_token_broker_tls_connections_refused_total{listener="check",reason="${reason}"}`
  expect(await metric(series)).toBeGreaterThan(0)
  check(process.log)
  await expectProblem(viewOf(system.broker, {}), {
    kind: 'tls-connections-refused',
    summary: new RegExp(`^TLS connections were refused .*: ${reason} \\d+$`),
    action,
  })
}

describeWithEnvoy('TLS between Envoy and the broker', () => {
  test('Envoy has no client certificate', async () => {
    const changeBrokerCluster: TlsSystemOptions['changeBrokerCluster'] = cluster => {
      delete cluster['transport_socket'].typed_config.common_tls_context.tls_certificates
    }
    await refused(
      { changeBrokerCluster },
      { reason: 'no_client_certificate', action: /TLS_CLIENT_CA_FILE/ },
      log => expect(log).toContain('TLS_CLIENT_CA_FILE'),
    )
  })

  test('The client certificate of Envoy is of an unknown authority', async () => {
    const envoyIdentity = createCertificateAuthority('other').issue('envoy')
    await refused(
      { envoyIdentity },
      { reason: 'client_certificate_not_trusted', action: /TLS_CLIENT_CA_FILE/ },
      log => {
        expect(log).toMatch(/"cause":"UNABLE_TO_/)
        expect(log).toContain('TLS_CLIENT_CA_FILE')
      },
    )
  })

  test('The client certificate of Envoy is expired', async () => {
    const envoyIdentity = authority.issueFor({ hosts: ['envoy'], validTo: new Date('2024-01-01') })
    await refused({ envoyIdentity }, { reason: 'client_certificate_expired', action: /renew/ }, log =>
      expect(log).toContain('"cause":"CERT_HAS_EXPIRED"'),
    )
  })

  test('TLS_CLIENT_SANS does not list the name of Envoy', async () => {
    const environment = { TLS_CLIENT_SANS: 'spiffe://cluster.local/ns/envoy/sa/envoy' }
    await refused({ environment }, { reason: 'client_name_not_allowed', action: /TLS_CLIENT_SANS/ }, log => {
      expect(log).toContain('"names":["envoy"]')
      expect(log).toContain('TLS_CLIENT_SANS')
    })
  })

  test('The certificate of the broker is expired', async () => {
    const brokerIdentity = authority.issueFor({ hosts: [brokerName], validTo: new Date('2024-01-01') })
    await refused(
      { brokerIdentity },
      { reason: 'server_certificate_refused', action: /TLS_CERT_FILE/ },
      log => expect(log).toMatch(/The certificate in TLS_CERT_FILE expired at 2024-01-01/),
    )
  })

  test('Envoy speaks plain HTTP to a listener with TLS', async () => {
    const changeBrokerCluster: TlsSystemOptions['changeBrokerCluster'] = cluster => {
      delete cluster['transport_socket']
    }
    await refused({ changeBrokerCluster }, { reason: 'no_tls', action: /transport_socket/ }, log =>
      expect(log).toContain('transport_socket'),
    )
  })
})
