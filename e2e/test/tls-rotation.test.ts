import { createServer } from 'node:http'
import { createCertificateAuthority, listening, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, printMeasured, quantileMs, tally } from '../faults/checks.ts'
import { protocol } from '../harness/protocol.ts'
import { brokerName, startTlsSystem } from '../harness/tls-system.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'

const rotations = 6
const perSecond = 500

describeWithEnvoy('mutual TLS under load', () => {
  test(`${rotations} rotations of certificate, key, authority and client secret at once lose no request`, async () => {
    const authorities = Array.from({ length: rotations + 1 }, (_, index) =>
      createCertificateAuthority(`CA ${index}`),
    )
    const [first] = authorities as [ReturnType<typeof createCertificateAuthority>]
    const envoyIdentity = first.issue('envoy')
    // The backend of the other suites verifies each token, which takes longer than a check.
    const server = createServer({ keepAliveTimeout: 300_000 }, (_, response) => response.end())
    await using backend = await listening(server)
    await using system = await startTlsSystem({
      backendPort: backend.port,
      authority: first,
      envoyIdentity,
      trusted: authorities.map(({ cert }) => cert).join(''),
      environment: volume => ({
        STATIC_CLIENT_ID: 'reports',
        STATIC_CLIENT_SECRET_FILE: volume.file('secret'),
        ALLOW_UNAUTHENTICATED_CALLERS: 'true',
      }),
      changeBrokerCluster: cluster => {
        // New handshakes all the time, each with the certificate of that moment.
        const [options] = Object.values(cluster['typed_extension_protocol_options']) as Record<
          string,
          object
        >[]
        if (options === undefined) throw new Error('the cluster has no options of HTTP')
        options['common_http_protocol_options'] = {
          ...options['common_http_protocol_options'],
          max_requests_per_connection: 50,
        }
      },
    })
    const { broker, dex, envoy, volume } = system
    // Tokens live for seconds, so that the client's secret is needed all the time.
    dex.idTokensMs = 20_000
    using client = new CheckClient(envoy.port('ingress'), { maxSockets: 32 })
    const scopes = ['openid', 'openid email', 'openid profile', 'openid groups']
    const startedAt = performance.now()
    await using load = new CheckLoad(client, {
      perSecond,
      headersOf: index => ({ 'x-scope': scopes[index % scopes.length] ?? '' }),
    })
    await load.answered(perSecond)
    const applied = () => broker.metric('dex_token_broker_config_reloads_total{outcome="applied"}')
    const handshakesBefore = await envoy.stat('cluster.dex_token_broker.ssl.handshake')
    for (let round = 1; round <= rotations; round++) {
      const authority = authorities[round] as typeof first
      const { cert, key } = authority.issue(brokerName)
      const secret = `reports-secret-${round}`
      volume.swap({
        'tls.crt': cert,
        'tls.key': key,
        // The authority of Envoy's own certificate stays beside the new one, as in every change of an authority.
        'ca.crt': authority.cert + first.cert,
        secret,
      })
      broker.process.signal('SIGHUP')
      await until(async () => (await applied()) >= round, `rotation ${round}`)
      await load.answered(perSecond / 2)
      // The broker uses the previous secret until Dex has the new one.
      dex.setClientSecret('reports', secret)
      await load.answered(perSecond / 2)
    }
    const handshakes = (await envoy.stat('cluster.dex_token_broker.ssl.handshake')) - handshakesBefore
    const achieved = load.answers.length / ((performance.now() - startedAt) / 1000)
    const answers = await load.stop()
    printMeasured(`${rotations} rotations over ${protocol} and mutual TLS`, {
      outcomes: tally(answers),
      perSecond: achieved,
      handshakes,
      p99Ms: quantileMs(answers, 0.99),
    })
    expect(answers.filter(({ outcome }) => outcome !== '200')).toEqual([])
    expect(handshakes).toBeGreaterThan(rotations * 5)
    // The load is by the clock: a machine that cannot keep up makes this test inconclusive.
    expect(achieved).toBeGreaterThan(400)
    expect(await broker.metric('dex_token_broker_config_faults')).toBe(0)
  }, 60_000)
})
