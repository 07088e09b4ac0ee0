import type { ClientAssertions } from '../../clients/client-assertions.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import type { HeldSlot } from './held-slot.ts'

export interface AssertedAttempt {
  /** URL of the token endpoint. */
  readonly url: string
  readonly order: TokenOrder
  readonly issuer: string | undefined
  readonly signal: AbortSignal
  /** Limit of a call of the function, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * The assertion of an attempt, where a function of the operator signs it; the function does not hold the slot. Rejects like
 * `signedByFunction` of the assertions.
 */
export function assertionByFunction(
  attempt: AssertedAttempt,
  slot: HeldSlot,
): MaybePromise<string | undefined> {
  const { assertions } = attempt.order.credentials
  return assertions?.hasFunction === true ? signedWithoutSlot(attempt, assertions, slot) : undefined
}

async function signedWithoutSlot(
  { url, order, issuer, signal, timeoutMs }: AssertedAttempt,
  assertions: ClientAssertions,
  slot: HeldSlot,
): Promise<string | undefined> {
  const { clientId } = order.credentials
  const signing = assertions.signedByFunction({ clientId, tokenEndpoint: url, issuer }, signal, timeoutMs)
  let failure: unknown
  const settled = signing.catch((error: unknown) => {
    failure = error
    return undefined
  })
  // At the deadline, the function says more than the signal.
  const assertion = await slot.without(settled, signal).catch(error => Promise.reject(failure ?? error))
  if (failure !== undefined) throw failure
  return assertion
}
