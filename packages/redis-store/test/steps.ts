import type { SharedTokenStore } from '@broker/core'

/** Keeps a record under a new lease, and returns its fence. */
export async function keepRecord(
  store: SharedTokenStore,
  name: string,
  { text = 'sealed', keepMs = 600_000 }: { text?: string; keepMs?: number } = {},
): Promise<number> {
  const answer = await store.lease(name, { leaseMs: 10_000, newerThan: 0 })
  if (answer.kind !== 'leased') throw new Error(`no lease, but ${answer.kind}`)
  await store.put(name, { value: Buffer.from(text), fence: answer.fence, keepMs })
  return answer.fence
}

/** The text of a record, whatever its fence. */
export async function textOf(store: SharedTokenStore, name: string): Promise<string | undefined> {
  return (await store.get(name, 0))?.value.toString()
}

/** Whether a call is answered. */
export function isAnswered(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  )
}
