import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { describeHint } from '../describe-hint.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

/** A resolver slower than this delays every new connection noticeably. */
const slowMs = 1_000

/** Resolves a host name as the broker does, by the system. Returns the addresses; empty when there are none. */
export async function checkNameResolution(
  context: DoctorContext,
  host: string,
  option: string,
  report: Report,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const name = `name ${host}`
  const startedAt = performance.now()
  try {
    const found = await within(lookup(host, { all: true }), context)
    const addresses = [...new Set(found.map(({ address }) => address))]
    const tookMs = Math.round(performance.now() - startedAt)
    const fact = `${addresses.join(', ')} in ${tookMs} ms`
    report(
      tookMs > slowMs
        ? warning(
            name,
            fact,
            'check the resolver of this host: in Kubernetes, ndots and search domains multiply lookups',
          )
        : ok(name, fact),
    )
    return addresses
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const fact =
      code === undefined
        ? `no answer of the resolver within ${context.timeoutMs} ms`
        : `does not resolve (${code})`
    report(failed(name, fact, describeHint({ problem: 'host_not_found', option })))
    return []
  }
}

async function within<Value>(promise: Promise<Value>, context: DoctorContext): Promise<Value> {
  const signal = context.deadline()
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
    }),
  ])
}
