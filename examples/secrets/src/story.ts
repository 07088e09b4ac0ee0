// The parts of both stories: a Dex, a service that needs a token every hour, and the two orders of a rotation.
import assert from 'node:assert/strict'
import type { Logger, TokenBroker } from '@broker/core'
import { type DevDex, startDevDex } from '@broker/dev-dex'

const hourMs = 3_600_000
let now = Date.parse('2030-01-01T00:00:00Z')

/** The clock of Dex and of the broker, which the story advances. */
export const clock = { wall: (): number => now, monotonic: (): number => now }

/** Prints what an operator would see. */
export const logger: Logger = {
  debug() {},
  info: (_, message) => console.log(`  log: ${message}`),
  warn: (_, message) => console.log(`  log: ${message}`),
  error: (_, message) => console.log(`  log: ${message}`),
}

export function startDex(secret: string): Promise<DevDex> {
  return startDevDex({ clients: [{ id: 'reports', secret }], idTokensMs: hourMs, now: clock.wall })
}

/** Rotates a secret in both orders. `store` puts a secret where the function of the broker reads it. */
export async function rotateInBothOrders(
  broker: TokenBroker,
  dex: DevDex,
  store: (secret: string) => Promise<void>,
): Promise<void> {
  const first = await broker.getToken()

  console.log('Dex has the second secret before the store has it')
  dex.setClientSecret('reports', 'second-secret')
  assert.equal(await broker.getToken(), first, 'the cached token must stay in use')
  await store('second-secret')
  await nextHour(broker)

  console.log('the store has the third secret before Dex has it')
  await store('third-secret')
  broker.renewSecrets()
  await nextHour(broker)
  dex.setClientSecret('reports', 'third-secret')
  await nextHour(broker)
}

/** A lost token rejects and ends the process with an error. */
async function nextHour(broker: TokenBroker): Promise<void> {
  const before = await broker.getToken()
  now += hourMs
  assert.notEqual(await broker.getToken(), before, 'the token must be a new one')
  console.log('  an hour later: a new token')
}
