import { type DevDex, startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import { Clients } from '../../src/clients/clients.ts'
import { ClientsMemory } from '../../src/clients/clients-memory.ts'
import { resolveOptions } from '../../src/options/resolve-options.ts'
import type { Transport } from '../../src/shared/http/transport.ts'
import { AcceptedClients } from '../../src/tokens/accepted-clients.ts'
import { Circuits } from '../../src/tokens/dex/circuits.ts'
import { DexOrigin } from '../../src/tokens/dex/dex-origin.ts'
import { RejectedCredentials } from '../../src/tokens/dex/rejected-credentials.ts'
import { Slots } from '../../src/tokens/dex/slots.ts'
import { failureOf } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

interface Setting extends AsyncDisposable {
  readonly dex: DevDex
  readonly log: RecordingLogger
  readonly clock: ManualClock
  /** Makes clients of a new configuration with this secret. */
  configure(clientSecret: string): void
  /** Requests a token, unless a rejection is remembered; the number of token requests so far, or the failure. */
  obtain(): Promise<number>
  /** Called after each response of Dex, before the broker reads it. */
  afterResponse: (count: number) => void
}

/** The origin of tokens of one client, whose secret new configurations replace. */
async function start(): Promise<Setting> {
  const clock = new ManualClock()
  const log = new RecordingLogger()
  const dex = await startDevDex({
    algorithm: 'ES256',
    now: clock.wall,
    clients: [{ id: 'orders', secret: 'first' }],
  })
  const transport: Transport = async (url, request) => {
    const response = await fetch(url, request)
    setting.afterResponse(dex.counts.tokenRequests)
    return response
  }
  const { surroundings } = resolveOptions({
    tokenEndpoint: dex.tokenEndpoint,
    clock,
    logger: log,
    transport,
  })
  const memory = new ClientsMemory(surroundings)
  const authMethod = 'client_secret_basic'
  const origin = new DexOrigin(surroundings, {
    tokenEndpoint: () => dex.tokenEndpoint,
    authMethod,
    wantedFields: [],
    rejected: new RejectedCredentials(5_000, clock),
    accepted: new AcceptedClients(),
    option: 'tokenEndpoint',
    circuits: new Circuits(surroundings),
    slots: new Slots({ max: 4, maxWaiting: 10, maxWaitMs: surroundings.requestTimeoutMs }),
  })
  const issuer = { name: 'dex', endpoint: dex.tokenEndpoint, authMethod } as const
  const clientsOf = (clientSecret: string) =>
    new Clients({
      issuer,
      client: {
        configured: {
          clientId: 'orders',
          clientSecret,
          scope: undefined,
          audiences: [],
          resource: [],
          extraParams: [],
        },
        issuer,
      },
      named: [],
      memory,
    })
  let clients = clientsOf('first')
  const setting: Setting = {
    dex,
    log,
    clock,
    configure(clientSecret) {
      clients = clientsOf(clientSecret)
    },
    async obtain() {
      const order = clients.default.order()
      const rejection = origin.rejection(order)
      if (rejection !== undefined) throw rejection
      await origin.obtain(order, new AbortController(), () => {})
      return dex.counts.tokenRequests
    },
    afterResponse: () => {},
    [Symbol.asyncDispose]: () => dex.close(),
  }
  return setting
}

const warnings = ({ log }: Setting) =>
  log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)

describe('a secret that a new configuration replaces', () => {
  test('before Dex has it is tried first, and the previous one serves on', async () => {
    await using setting = await start()
    expect(await setting.obtain()).toBe(1)
    setting.configure('second')
    expect(await setting.obtain()).toBe(3)
    expect(await setting.obtain()).toBe(5)
    expect(warnings(setting)).toEqual(
      Array(2).fill('client secret rejected by Dex; the previous one is in use'),
    )
    setting.dex.setClientSecret('orders', 'second')
    expect(await setting.obtain()).toBe(6)
    expect(setting.log.lines.filter(({ message }) => message === 'client secret accepted')).toHaveLength(1)
  })

  test('after Dex had another one passes at once, whatever is remembered', async () => {
    await using setting = await start()
    setting.dex.setClientSecret('orders', 'second')
    expect((await failureOf(setting.obtain())).code).toBe('client_misconfigured')
    expect((await failureOf(setting.obtain())).code).toBe('client_misconfigured')
    expect(setting.dex.counts.tokenRequests).toBe(1)
    setting.configure('second')
    expect(await setting.obtain()).toBe(2)
    expect(warnings(setting)).toEqual([])
  })

  test('while Dex refuses it is followed by its replacement in the same request', async () => {
    await using setting = await start()
    setting.dex.setClientSecret('orders', 'second')
    setting.afterResponse = count => count === 1 && setting.configure('second')
    expect(await setting.obtain()).toBe(2)
  })

  test('while Dex refuses its replacement leaves no remembered rejection', async () => {
    await using setting = await start()
    setting.dex.setClientSecret('orders', 'third')
    setting.afterResponse = count => {
      if (count === 1) setting.configure('second')
      if (count === 2) setting.configure('third')
    }
    await failureOf(setting.obtain())
    expect(await setting.obtain()).toBe(3)
  })

  test('and that Dex gets between the refusals of the new and of the previous one is sent again', async () => {
    await using setting = await start()
    await setting.obtain()
    setting.configure('second')
    setting.afterResponse = count => count === 2 && setting.dex.setClientSecret('orders', 'second')
    expect(await setting.obtain()).toBe(4)
    expect(warnings(setting)).toEqual([])
  })

  test('is sent again once, and not for each request, when Dex refuses all secrets', async () => {
    await using setting = await start()
    await setting.obtain()
    setting.configure('second')
    setting.dex.setClientSecret('orders', 'third')
    await failureOf(setting.obtain())
    expect(setting.dex.counts.tokenRequests).toBe(4)
    setting.clock.advance(5_000)
    await failureOf(setting.obtain())
    expect(setting.dex.counts.tokenRequests).toBe(6)
  })
})
