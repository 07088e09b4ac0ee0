import { prometheusNeed, redisNeed } from '@broker/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CheckClient, CheckLoad } from '../faults/checks.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'
import { alertConditions } from './alert-rules.ts'
import { type Caller, Callers } from './callers.ts'
import { type MonitoredSystem, startMonitoredSystem } from './monitored-system.ts'
import { keyOf, Observation } from './observation.ts'
import { askOutsideCheck, askWithoutTls, callUnknownService } from './wrong-connections.ts'

// Two waits of 45 s each, and their load.
vi.setConfig({ testTimeout: 150_000 })

const perSecond = 100
/** Callers of every kind that passes. */
const healthyMix: readonly Caller[] = ['reports', 'billing', 'user', 'reports']

interface Fault {
  /** Callers that send requests while it lasts, in turns. Default: callers that pass. */
  readonly callers?: readonly Caller[]
  begin?(system: MonitoredSystem): unknown
  end?(system: MonitoredSystem): unknown
  /** Alerts whose condition holds during the fault, and not after it. */
  readonly alerts: readonly string[]
  /** Queries of the dashboard that have data during the fault. */
  readonly queries?: readonly string[]
}

describeWithEnvoy(
  'a Prometheus that scrapes a broker under load',
  () => {
    let system: MonitoredSystem
    let observation: Observation
    let stack: AsyncDisposableStack
    let callers: Callers
    const clients: CheckClient[] = []

    beforeAll(async () => {
      stack = new AsyncDisposableStack()
      system = stack.use(await startMonitoredSystem())
      observation = new Observation(system.prometheus)
      callers = new Callers(system.callers)
      for (const protocol of ['http', 'grpc'] as const)
        clients.push(stack.use(new CheckClient(system.envoys[protocol].port('ingress'))))
    })
    afterAll(() => stack?.disposeAsync())

    /** Requests of these callers, in turns, three of four over HTTP. */
    function load(mix: readonly Caller[]): CheckLoad {
      let count = 0
      const ask: CheckClient['ask'] = headers =>
        (clients[count++ % 4 === 0 ? 1 : 0] as CheckClient).ask(headers)
      return new CheckLoad(
        { ask },
        {
          perSecond,
          maxUnanswered: 200,
          longestMs: 150_000,
          headersOf: index =>
            callers.headersOf(mix[index % mix.length] as Caller, Math.floor(index / mix.length)),
        },
      )
    }

    async function show(fault: Fault): Promise<void> {
      {
        const { callers: mix = healthyMix } = fault
        await using _ = mix.length === 0 ? undefined : load(mix)
        await fault.begin?.(system)
        try {
          await Promise.all([observation.sees(fault.alerts), observation.hasData(fault.queries ?? [])])
        } finally {
          await fault.end?.(system)
        }
      }
      await using _ = load(healthyMix)
      await observation.isQuiet()
    }

    test('sees that discovery fails at the start', async () => {
      await show({
        alerts: ['DiscoveryFailing critical'],
        end: ({ dex }) => dex.clearFaults(),
      })
    })

    test('has data for every panel about a healthy broker, and no alert', async () => {
      await using running = load(healthyMix)
      const names = observation.allQueries.map(({ name }) => name)
      await observation.hasData(names.filter(name => !queriesOfFaults.includes(name)))
      await running.answered(30 * perSecond)
      expect(running.answers.filter(({ outcome }) => outcome !== '200').length).toBeLessThan(perSecond)
      await observation.isQuiet()
    })

    test('sees that Dex is down', async () => {
      await show({
        begin: ({ dex }) => {
          for (const target of ['token', 'keys', 'discovery'] as const)
            dex.setFault(target, { kind: 'reset' })
        },
        end: ({ dex }) => dex.clearFaults(),
        alerts: ['CircuitOpen critical', 'ServingStaleTokens critical', 'KeySetFailing warning'],
        queries: ['Alerts'],
      })
    })

    test('sees that the keys of callers cannot be loaded', async () => {
      await show({
        begin: ({ callers: { switches } }) => switches.setFault('keys', { kind: 'reset' }),
        end: ({ callers: { switches } }) => switches.clearFaults(),
        alerts: ['KeySetFailing warning', 'KeySetFailing critical'],
      })
    })

    test('sees that something else than Dex answers token requests', async () => {
      await show({
        begin: ({ dex }) => dex.setFault('token', { kind: 'html', status: 404 }),
        end: ({ dex }) => dex.clearFaults(),
        alerts: [
          'TokenRequestsFailing critical',
          'TokenRequestsFailing warning',
          'ClientFailing critical',
          'ClientFailing warning',
        ],
      })
    })

    test('sees that the secret of a client is wrong', async () => {
      await show({
        begin: ({ dex }) => dex.setClientSecret('billing', 'rotated'),
        end: ({ dex }) => dex.setClientSecret('billing', 'billing-secret'),
        alerts: ['ClientRefused critical', 'ClientFailing critical'],
      })
    })

    test('sees that the JWTs of all callers have another audience', async () => {
      await show({
        callers: ['wrong audience'],
        alerts: ['EverybodyRefused critical'],
        queries: [
          'Refused JWTs per second, by reason',
          'Share of checks that do not pass, by code',
          'Latency of checks: not allowed, p99',
        ],
      })
    })

    test('sees that some callers have no valid JWT', async () => {
      await show({
        callers: ['wrong audience', 'no JWT', 'reports'],
        alerts: ['JwtsRefused warning'],
      })
    })

    test('sees that callers have no credentials, or wrong ones', async () => {
      await show({
        callers: [
          ...Array<Caller>(6).fill('own client without credentials'),
          'own client with a wrong secret',
          'user without email',
          'own client',
          'own client',
        ],
        alerts: [
          'CredentialsMissing warning',
          'CredentialsRejected warning',
          'TokenExchangesRefused warning',
          'CacheFull warning',
        ],
        queries: ['Cached tokens: evicted per second'],
      })
    })

    test('sees that Dex is slow', async () => {
      await show({
        callers: ['own client'],
        begin: ({ dex }) => dex.setFault('token', { kind: 'slow', delayMs: 3_500 }),
        end: ({ dex }) => dex.clearFaults(),
        alerts: ['TokenRequestsSlow warning', 'ChecksFailing critical'],
      })
    })

    test('sees that Dex is at its limit', async () => {
      await show({
        callers: ['own client'],
        // Fast enough that a queue is worth its wait.
        begin: ({ dex }) => dex.setFault('token', { kind: 'slow', delayMs: 1_200 }),
        end: ({ dex }) => dex.clearFaults(),
        alerts: ['TokenRequestsQueued warning'],
      })
    })

    test('sees that files, store, clocks and replicas are not in order', async () => {
      await using replica = new AsyncDisposableStack()
      await show({
        begin: async ({ redis, setClock, changeFiles, certificate, startReplica }) => {
          replica.use(await startReplica())
          await redis.kill()
          setClock(40_000)
          changeFiles({ ...certificate(1), 'config.yaml': 'rule: []' })
        },
        end: async ({ redis, setClock, changeFiles }) => {
          await replica.disposeAsync()
          changeFiles({})
          setClock(0)
          await redis.restart()
        },
        alerts: [
          'SharedStoreFailing warning',
          'SharedStoreKeysDiffer warning',
          'ClockSkew critical',
          'ClockSkew warning',
          'ConfigurationFaulty warning',
          'CertificateExpiring critical',
          'CertificateExpiring warning',
        ],
      })
    })

    test('sees that the process has no time', async () => {
      let pause: NodeJS.Timeout | undefined
      await show({
        begin: ({ broker: { process } }) => {
          let ticks = 0
          // real time: a pause that its event loop notices, and time to work in between
          pause = setInterval(() => process.signal(ticks++ % 3 === 0 ? 'SIGSTOP' : 'SIGCONT'), 150)
        },
        end: ({ broker: { process } }) => {
          clearInterval(pause)
          process.signal('SIGCONT')
        },
        alerts: ['EventLoopLag warning'],
      })
    })

    test('sees that requests reach the broker, and none is a check', async () => {
      let asking = true
      let asked: Promise<void> | undefined
      await show({
        callers: [],
        begin: system => {
          asked = askWrongly(system, () => asking)
        },
        end: () => {
          asking = false
          return asked
        },
        alerts: [
          'NoChecks critical',
          'RequestsOutsideCheck warning',
          'TlsConnectionsRefused warning',
          'GrpcCallsFailing warning',
        ],
        queries: ['Refused TLS connections per second', 'gRPC calls without a verdict per second'],
      })
    })

    test('sees that no replica is left', async () => {
      await system.broker[Symbol.asyncDispose]()
      await observation.sees(['BrokerDown critical'])
    })

    test('has shown every alert and every query of the dashboard', async () => {
      const expected = alertConditions.map(keyOf).filter(alert => !(alert in alertsNotShown))
      expect([...observation.alerts].sort()).toEqual(expected.sort())
      expect([...observation.queries].sort()).toEqual(observation.allQueries.map(({ name }) => name).sort())
      expect(await system.prometheus.ruleFaults()).toEqual([])
      for (const { expression } of alertConditions) await system.prometheus.query(expression)
    })
  },
  { ...prometheusNeed(), ...redisNeed() },
)

/** Queries about things that do not happen to a healthy broker. */
const queriesOfFaults: readonly string[] = [
  'Alerts',
  'Share of checks that do not pass, by code',
  'Latency of checks: not allowed, p99',
  'Refused JWTs per second, by reason',
  'Cached tokens: evicted per second',
  'Refused TLS connections per second',
  'gRPC calls without a verdict per second',
]

/** Alerts that no fault here causes, and why. */
const alertsNotShown: Readonly<Record<string, string>> = {
  'LogLinesDropped warning': 'it needs more log than this load writes; packages/server/test has the counter',
}

async function askWrongly(system: MonitoredSystem, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    await askWithoutTls(system)
    expect(await askOutsideCheck(system)).toBe(404)
    await callUnknownService(system)
  }
}
