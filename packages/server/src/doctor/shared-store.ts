import { type StoreAddress, storeAddress } from '@broker/redis-store/options'
import { ServerStore } from '../shared-store/server-store.ts'
import { serverStoreHint } from '../shared-store/server-store-hint.ts'
import { type CheckResult, type Report, skipped } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkHost } from './host.ts'
import { checkStoreFacts } from './store-facts.ts'
import { checkStoreRoundTrip } from './store-round-trip.ts'

/** Checks the shared store: the way to it, a round trip of a record, its time, and its memory. Reports nothing without a store. */
export async function checkSharedStore(context: DoctorContext, report: Report): Promise<void> {
  const { config } = context
  if (config.sharedStoreUrl === undefined) return
  if (!(await isReached(context, storeAddress(config.sharedStoreUrl), report))) {
    report(skipped('round trip', 'no server of the store can be reached'))
    return
  }
  // Reported here, not logged.
  const store = await ServerStore.open(config, { debug() {}, info() {}, warn() {}, error() {} })
  if (store === undefined) return
  try {
    await store.attempted()
    if (await checkStoreRoundTrip(context, store, report)) await checkStoreFacts(context, store, report)
  } finally {
    await store.close()
  }
}

/** Checks each server that the URL names; one of several that cannot be reached is a warning. */
async function isReached(
  context: DoctorContext,
  { nodes, tls }: StoreAddress,
  report: Report,
): Promise<boolean> {
  const checked = await Promise.all(
    nodes.map(async ({ host, port }) => {
      const results: CheckResult[] = []
      const where = {
        host,
        port,
        tls,
        option: 'sharedStore.store',
        trusted: context.config.sharedStoreCa?.certificates,
        trustSetting: 'SHARED_STORE_CA_FILE',
        adviceFor: serverStoreHint,
      }
      const isReached = await checkHost(context, where, result => results.push(result))
      return { isReached, results }
    }),
  )
  const isAnyReached = checked.some(each => each.isReached)
  for (const result of checked.flatMap(({ results }) => results)) {
    report(isAnyReached && result.verdict === 'failed' ? { ...result, verdict: 'warning' } : result)
  }
  return isAnyReached
}
