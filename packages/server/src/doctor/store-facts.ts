import { sealedKeyId } from '@broker/core/diagnosis'
import type { StoreMemory } from '@broker/redis-store'
import type { ServerStore } from '../shared-store/server-store.ts'
import { serverStoreHint } from '../shared-store/server-store-hint.ts'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

const mayNotRead = 'the user of the store may not read it; a broker does not need it'
const mebibyte = 1_048_576

/** Tells what a full store does, and whether its records have other keys, as far as the user may read that. */
export async function checkStoreFacts(
  { config }: DoctorContext,
  store: ServerStore,
  report: Report,
): Promise<void> {
  try {
    const { memory, records } = await store.inspect()
    if (memory === undefined) report(skipped('eviction', mayNotRead))
    else reportEviction(memory, report)
    const ownKeys = config.sharedStoreKeyFile?.keys.map(({ id }) => id) ?? []
    reportKeys(ownKeys, records, report)
  } catch (error) {
    const { message, code } = error as Error & { readonly code?: string }
    report(failed('eviction', message, serverStoreHint(code)))
  }
}

function reportEviction({ policy, usedBytes, maxBytes }: StoreMemory, report: Report): void {
  const used = `${(usedBytes / mebibyte).toFixed(1)} MiB used`
  if (maxBytes === 0) report(ok('eviction', `${used}, no maxmemory`))
  else if (policy === 'noeviction') {
    report(
      warning(
        'eviction',
        `${used} of ${(maxBytes / mebibyte).toFixed(1)}, noeviction: a full store refuses new records`,
        'set maxmemory-policy of the store to volatile-ttl',
      ),
    )
  } else report(ok('eviction', `${used} of ${(maxBytes / mebibyte).toFixed(1)}, ${policy}`))
}

function reportKeys(
  ownKeys: readonly string[],
  records: readonly Uint8Array[] | undefined,
  report: Report,
): void {
  const own = `records are sealed with the key ${ownKeys[0]}`
  if (records === undefined) {
    report(ok('sealing key', `${own}; the records of other brokers cannot be compared: ${mayNotRead}`))
    return
  }
  const ids = new Set(records.flatMap(value => keyIdOf(value) ?? []))
  const others = [...ids].filter(id => !ownKeys.includes(id))
  report(
    others.length === 0
      ? ok('sealing key', `${own}; of ${records.length} records none has a key that is not here`)
      : warning(
          'sealing key',
          `${own}; the store has records of ${others.join(', ')}, which is not in SHARED_STORE_KEY_FILE`,
          'mount the same SHARED_STORE_KEY_FILE in all replicas, or give brokers that share nothing another SHARED_STORE_PREFIX',
        ),
  )
}

function keyIdOf(value: Uint8Array): string | undefined {
  const id = sealedKeyId(value)
  return id && Buffer.from(id).toString('hex')
}
