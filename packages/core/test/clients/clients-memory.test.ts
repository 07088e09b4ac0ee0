import { describe, expect, test } from 'vitest'
import { Clients, type ClientsOptions } from '../../src/clients/clients.ts'
import { ClientsMemory } from '../../src/clients/clients-memory.ts'
import type { ConfiguredSecret } from '../../src/clients/configured-secret.ts'
import type { SecretSource } from '../../src/clients/secret-source.ts'
import { hintText } from '../../src/shared/hint.ts'
import { LogSampler } from '../../src/shared/log-sampler.ts'
import { ManualClock } from '../manual-clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

const dex = {
  name: 'dex',
  endpoint: 'https://dex.example.com/dex/token',
  authMethod: 'client_secret_basic',
} as const

function newMemory(): ClientsMemory {
  const clock = new ManualClock()
  return new ClientsMemory({
    clock,
    logger: new RecordingLogger(),
    sampler: new LogSampler(clock),
    describeHint: hintText,
  })
}

interface Parts {
  readonly clientId?: string | undefined
  readonly clientSecret?: string | SecretSource | undefined
}

const configuredOf = ({ clientId, clientSecret }: Parts) => ({
  clientId,
  clientSecret,
  scope: undefined,
  audiences: [],
  resource: [],
  extraParams: [],
})

/** The clients of one configuration. */
function clientsOf(
  memory: ClientsMemory,
  client: Parts,
  { named = {}, issuer = dex }: { named?: Record<string, Parts>; issuer?: ClientsOptions['issuer'] } = {},
): Clients {
  return new Clients({
    issuer,
    memory,
    client: { configured: configuredOf(client), issuer },
    named: Object.entries(named).map(([name, parts]) => ({ name, issuer, configured: configuredOf(parts) })),
  })
}

function secretOf(clients: Clients, name = 'default'): ConfiguredSecret {
  const secret = clients.named(name)?.order().credentials.clientSecret
  if (secret === undefined || typeof secret === 'string') throw new Error('expected a configured secret')
  return secret
}

const orders = { clientId: 'orders', clientSecret: 'first' }

describe('two sets of clients with one memory', () => {
  test('have the same keys while secrets change, and the previous secret', () => {
    const memory = newMemory()
    const before = clientsOf(memory, orders, { named: { shop: orders } })
    const versions = ['default', 'shop'].map(name => secretOf(before, name).version)
    const changed = { ...orders, clientSecret: 'second' }
    const after = clientsOf(memory, changed, { named: { shop: changed } })
    for (const [index, name] of ['default', 'shop'].entries()) {
      expect(after.named(name)?.order().key).toBe(before.named(name)?.order().key)
      expect(after.named(name)?.order().clientKey).toBe(before.named(name)?.order().clientKey)
      expect(secretOf(after, name)).toBe(secretOf(before, name))
      expect(secretOf(after, name)).toMatchObject({ current: 'second', previous: 'first' })
      expect(secretOf(after, name).version).not.toBe(versions[index])
      expect(after.named(name)?.order().secretVersion).toBe(secretOf(after, name).version)
    }
  })

  test('have the same version and no previous secret when nothing changes', () => {
    const memory = newMemory()
    const source = () => 'from a function'
    const options = { named: { shop: { clientId: 'shop', clientSecret: source } } }
    const before = clientsOf(memory, orders, options)
    const versions = ['default', 'shop'].map(name => secretOf(before, name).version)
    const after = clientsOf(memory, { ...orders }, options)
    expect(['default', 'shop'].map(name => secretOf(after, name).version)).toEqual(versions)
    expect(secretOf(after).previous).toBeUndefined()
  })

  test.each<[string, Parts, Partial<ClientsOptions['issuer']>]>([
    ['client id', { ...orders, clientId: 'other' }, {}],
    ['endpoint', orders, { endpoint: 'https://dex.example.com/token' }],
    ['method', orders, { authMethod: 'client_secret_post' }],
  ])('have other keys and another secret when the %s changes', (_, client, change) => {
    const memory = newMemory()
    const before = clientsOf(memory, orders)
    const after = clientsOf(memory, client, { issuer: { ...dex, ...change } })
    expect(after.default.order().key).not.toBe(before.default.order().key)
    expect(after.default.order().clientKey).not.toBe(before.default.order().clientKey)
    expect(secretOf(after)).not.toBe(secretOf(before))
    expect(secretOf(after).previous).toBeUndefined()
  })

  test('have the same keys for the credentials of callers', () => {
    const memory = newMemory()
    const own = { clientId: 'orders', clientSecret: 'own' }
    const [before, after] = [clientsOf(memory, {}), clientsOf(memory, orders)]
    expect(after.caller.order(own).key).toBe(before.caller.order(own).key)
    expect(after.default.order(own).key).toBe(before.default.order(own).key)
    expect(after.default.order(own).secretVersion).toBe(0)
    expect(after.default.order(own).key).not.toBe(after.default.order().key)
    expect(after.default.order({ ...orders }).key).not.toBe(after.default.order().key)
  })

  test('forget a client that was gone in between', () => {
    const memory = newMemory()
    const before = clientsOf(memory, orders)
    clientsOf(memory, {})
    expect(secretOf(clientsOf(memory, orders))).not.toBe(secretOf(before))
  })

  test('change from a string to a function and back without losing the known secret', async () => {
    const memory = newMemory()
    const secret = secretOf(clientsOf(memory, orders))
    clientsOf(memory, { ...orders, clientSecret: () => 'second' })
    expect(secret.current).toBe('first')
    await secret.prepare(1_000)
    expect(secret).toMatchObject({ current: 'second', previous: 'first' })
    clientsOf(memory, { ...orders, clientSecret: 'third' })
    expect(secret.prepare(1_000)).toBeUndefined()
    expect(secret).toMatchObject({ current: 'third', previous: 'second' })
  })
})

describe('the previous secret', () => {
  test('is the last one that Dex accepted, however many came after it', () => {
    const secret = secretOf(clientsOf(newMemory(), orders))
    secret.accepted('first', 'orders', secret.known)
    for (const next of ['second', 'third', 'fourth']) {
      secret.set(next)
      expect(secret).toMatchObject({ current: next, previous: 'first' })
    }
    secret.set('first')
    expect(secret).toMatchObject({ current: 'first', previous: 'fourth' })
  })

  test('is the one before while Dex has accepted none', () => {
    const secret = secretOf(clientsOf(newMemory(), orders))
    secret.set('second')
    secret.set('third')
    expect(secret.previous).toBe('second')
  })

  test('is one that Dex accepted after it was replaced', () => {
    const secret = secretOf(clientsOf(newMemory(), orders))
    secret.set('second')
    secret.set('third')
    secret.accepted('first', 'orders', secret.known)
    expect(secret).toMatchObject({ current: 'third', previous: 'first' })
  })
})

test('no two secrets have the same version, also of clients with the same id', () => {
  const clients = clientsOf(newMemory(), orders, { named: { a: orders, b: orders } })
  const versions = ['default', 'a', 'b'].map(name => secretOf(clients, name).version)
  expect(new Set(versions).size).toBe(3)
})
