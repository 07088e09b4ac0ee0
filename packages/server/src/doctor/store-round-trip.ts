import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerStore } from '../shared-store/server-store.ts'
import { serverStoreHint } from '../shared-store/server-store-hint.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

/** Life of the record. Nothing is left of it afterwards. */
const keepMs = 1_000
/** One read may be slow by chance. */
const reads = 10
/** The port promises 2 seconds. */
const announcedWithinMs = 3_000
const record = Buffer.from('written by dex-token-broker doctor')

/** Sends a record that no broker asks for through all steps of the store. Returns whether the store answers. */
export async function checkStoreRoundTrip(
  context: DoctorContext,
  server: ServerStore,
  report: Report,
): Promise<boolean> {
  const { store, timeoutMs = 0 } = server.options(context.config)
  const name = `doctor-${randomUUID()}`
  const announced = Promise.withResolvers<void>()
  const stop = store.onForgotten(batch => {
    if (batch.some(each => each.name === name)) announced.resolve()
  })
  let step = 'get'
  try {
    await store.get(name, 0)
    step = 'lease'
    const lease = await store.lease(name, { leaseMs: keepMs, newerThan: 0 })
    const fence = lease.kind === 'leased' ? lease.fence : 0
    step = 'put'
    const isKept = await store.put(name, { value: record, fence, keepMs })
    step = 'get'
    const found = await store.get(name, 0)
    if (!isKept || found === undefined || !record.equals(found.value)) {
      report(
        failed(
          'round trip',
          'a record that was written is not there',
          'check that SHARED_STORE_URL is a primary and not a replica, and its maxmemory and maxmemory-policy',
        ),
      )
      return true
    }
    step = 'forget'
    await store.forget(name, fence, keepMs)
    await reportAnnouncement(announced.promise, report)
    await reportLatency(() => store.get(name, 0), timeoutMs, report)
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string }
    report(failed('round trip', `${step} failed: ${message}`, serverStoreHint(code)))
    return false
  } finally {
    stop()
  }
  return true
}

async function reportAnnouncement(announced: Promise<void>, report: Report): Promise<void> {
  const over = new AbortController()
  const isAnnounced = await Promise.race([
    announced.then(() => true),
    delay(announcedWithinMs, false, { signal: over.signal }).catch(() => false),
  ])
  over.abort()
  report(
    isAnnounced
      ? ok('round trip', 'a record was leased, written, read, forgotten and announced as forgotten')
      : warning(
          'round trip',
          `a record was leased, written, read and forgotten, but not announced as forgotten within ${announcedWithinMs} ms`,
          'give the user of the store the rights in docs/scaling.md: replicas keep tokens that another one has dropped',
        ),
  )
}

async function reportLatency(read: () => Promise<unknown>, timeoutMs: number, report: Report): Promise<void> {
  const timesMs: number[] = []
  while (timesMs.length < reads) {
    const startedAt = performance.now()
    await read()
    timesMs.push(performance.now() - startedAt)
  }
  const slowest = Math.max(...timesMs)
  const fact = `the slowest of ${reads} reads took ${slowest.toFixed(1)} ms; SHARED_STORE_TIMEOUT is ${timeoutMs} ms`
  report(
    slowest > timeoutMs
      ? warning(
          'latency',
          fact,
          'move the store closer to the broker, or raise SHARED_STORE_TIMEOUT: a slower answer counts as none',
        )
      : ok('latency', fact),
  )
}
