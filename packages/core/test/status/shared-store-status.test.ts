import { expect, test } from 'vitest'
import { startReplicas } from '../tokens/shared-store/replicas.ts'

test('the status tells of the shared store whether it answers, since when, and the next probe', async () => {
  await using running = await startReplicas()
  const { broker, store, clock } = running.add()
  const closed = { circuit: 'closed', nextProbeAt: undefined }
  expect(broker.status().sharedStore).toEqual({ ...closed, outage: undefined })
  const since = clock.wall()
  store.fault = 'hang'
  await broker.getToken()
  expect(broker.status().sharedStore).toEqual({
    circuit: 'open',
    nextProbeAt: since + 1_000,
    outage: {
      since,
      until: undefined,
      failedAttempts: 1,
      failedLookups: 0,
      lastFailedAt: since,
      cause: 'timeout',
    },
  })
  store.fault = undefined
  running.advance(1_000)
  await broker.getToken({ scope: 'groups' })
  expect(broker.status().sharedStore).toMatchObject({ ...closed, outage: { since, until: since + 1_000 } })
})
