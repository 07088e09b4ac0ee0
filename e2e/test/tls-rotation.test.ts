import { createServer } from 'node:http'
import { createCertificateAuthority, listening, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, printMeasured, quantileMs, tally } from '../faults/checks.ts'
import { protocol } from '../harness/protocol.ts'
import { brokerName, startTlsSystem } from '../harness/tls-system.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'

const rotations = 6
const perSecond = 500
/** The load does not wait for answers; only this many unanswered ones let a slow machine have less load instead of a longer queue. */
const maxUnanswered = 256
/** Part of the load that is answered in time, where the machine can. */
const enough = 0.95
/** Checks by which the rate without rotations is measured. */
const checksOfBaseline = 1_000
/** Checks before and after Dex has the new secret. */
const checksOfHalf = 300
const scopes = ['openid', 'openid email', 'openid profile', 'openid groups']
/** Counters of Envoy that tell why a request got no answer of the broker or of the backend. */
const failures = [
  'http.ingress.ext_authz.error',
  ...[
    'upstream_cx_connect_fail',
    'upstream_cx_connect_timeout',
    'upstream_cx_destroy_remote_with_active_rq',
    'upstream_rq_timeout',
    'upstream_rq_per_try_timeout',
    'upstream_rq_pending_overflow',
    'upstream_rq_retry_limit_exceeded',
    'upstream_rq_retry_overflow',
    'ssl.connection_error',
    'ssl.fail_verify_error',
    'ssl.fail_verify_san',
  ].map(name => `cluster.dex_token_broker.${name}`),
  ...['upstream_cx_connect_fail', 'upstream_rq_timeout', 'upstream_cx_destroy_remote_with_active_rq'].map(
    name => `cluster.backend.${name}`,
  ),
]

describeWithEnvoy('mutual TLS under load', () => {
  test(`${rotations} rotations of certificate, key, authority and client secret at once lose no request of ${perSecond} a second`, async () => {
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
          max_requests_per_connection: 25,
        }
      },
    })
    const { broker, dex, envoy, volume } = system
    // Tokens live for seconds, so that the client's secret is needed all the time.
    dex.idTokensMs = 4_000
    using client = new CheckClient(envoy.port('ingress'), { maxSockets: maxUnanswered })
    await using load = new CheckLoad(client, {
      perSecond,
      maxUnanswered,
      longestMs: 180_000,
      headersOf: index => ({ 'x-scope': scopes[index % scopes.length] ?? '' }),
    })
    /** Answers per second while something is done. */
    const rateDuring = async (work: () => Promise<unknown>) => {
      const [before, startedAt] = [load.answers.length, performance.now()]
      await work()
      return (load.answers.length - before) / ((performance.now() - startedAt) / 1000)
    }
    const baseline = () => rateDuring(() => load.answered(checksOfBaseline))
    await load.answered(checksOfHalf)
    const before = await baseline()
    const applied = () => broker.metric('dex_token_broker_config_reloads_total{outcome="applied"}')
    const handshakes = () => envoy.stat('cluster.dex_token_broker.ssl.handshake')
    const handshakesOfRounds: number[] = []
    const rotate = async (round: number) => {
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
      await until(async () => (await applied()) >= round, `rotation ${round}`, 30_000)
      const handshakesBefore = await handshakes()
      await load.answered(checksOfHalf)
      // The broker uses the previous secret until Dex has the new one.
      dex.setClientSecret('reports', secret)
      // It remembers the secret that Dex accepted last, so the next rotation comes after a token with this one.
      const tokens = dex.counts.tokensIssued
      await until(
        () => dex.counts.tokensIssued >= tokens + scopes.length,
        `tokens by secret ${round}`,
        30_000,
      )
      await load.answered(checksOfHalf)
      const newHandshakes = async () => (await handshakes()) - handshakesBefore
      // A rotation proves nothing before a connection has begun with its certificate.
      await until(async () => (await newHandshakes()) > 0, `handshakes of rotation ${round}`, 30_000)
      handshakesOfRounds.push(await newHandshakes())
    }
    const during = await rateDuring(async () => {
      for (let round = 1; round <= rotations; round++) await rotate(round)
    })
    const after = await baseline()
    const answers = await load.stop()
    const canKeepUp = Math.min(before, after) >= enough * perSecond
    printMeasured(`${rotations} rotations over ${protocol} and mutual TLS`, {
      outcomes: tally(answers),
      ...{ before, during, after },
      offered: canKeepUp
        ? perSecond
        : `${perSecond}, which this machine cannot answer without rotations either`,
      handshakes: handshakesOfRounds.join(' '),
      p99Ms: quantileMs(answers, 0.99),
    })
    const counters = await Promise.all(failures.map(async name => [name, await envoy.stat(name)] as const))
    // With the counters, so that a failure shows its cause: a broker that refuses names an error code, and Envoy alone counts.
    const lost = answers.filter(({ outcome }) => outcome !== '200')
    expect(tally(lost), JSON.stringify(Object.fromEntries(counters))).toEqual({})
    if (canKeepUp) expect(during).toBeGreaterThan(enough * perSecond)
    expect(await broker.metric('dex_token_broker_config_faults')).toBe(0)
  }, 240_000)
})
