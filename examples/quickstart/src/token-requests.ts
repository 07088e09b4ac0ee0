import type { BrokerProcess } from './broker-process.ts'
import type { Dex } from './dex.ts'

const sample = /^dex_token_broker_token_request_duration_seconds_count(?:\{[^}]*\})? (\d+)$/gm

/** How many token requests Dex has got so far: by its own count, or by the broker's `/metrics` if it has none. */
export async function countTokenRequests(
  { tokenRequests }: Dex,
  { adminUrl }: BrokerProcess,
): Promise<number> {
  if (tokenRequests !== undefined) return tokenRequests()
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  return [...metrics.matchAll(sample)].reduce((sum, [, count]) => sum + Number(count), 0)
}
