import type { ConfiguredSecret } from '../../clients/configured-secret.ts'
import { BrokerError } from '../../shared/errors.ts'
import { waitFor } from '../../shared/wait-for.ts'

export interface RefusalHooks {
  /** Called when Dex refuses the current secret. The function can take long after that. */
  readonly onRefusal: () => void
  /** Waits for a call of the function, which does not reject. It may reject, and then no request follows. */
  readonly waitForFunction: <T>(call: Promise<T>) => Promise<T>
}

export interface SecretAttempts extends RefusalHooks {
  /** For the log. */
  readonly clientId: string
  /** Bounds all requests. */
  readonly signal: AbortSignal
  /** Limit of a call of the function, in milliseconds. */
  readonly timeoutMs: number
}

type Outcome<T> = { readonly response: T } | { readonly refusal: BrokerError }

/**
 * Sends a request with the current secret of a configured client. When Dex refuses it with `invalid_client`, sends the request once more
 * with a changed secret, if there is one, and then once with the previous secret. So either side may rotate first. When Dex refuses a
 * previous secret that it accepted when this request began, the secret has just changed there, and the newest one is sent again.
 *
 * Rejects with the refusal of the newest secret when Dex refuses all of them, else with the first other failure.
 */
export async function requestWithSecret<T>(
  secret: ConfiguredSecret,
  send: (clientSecret: string) => Promise<T>,
  attempts: SecretAttempts,
): Promise<T> {
  const { clientId, onRefusal } = attempts
  const before = secret.known
  const current = secret.current ?? ''
  const first = await outcomeOf(send(current))
  if ('response' in first) {
    secret.accepted(current, clientId, before)
    return first.response
  }
  onRefusal()
  let { refusal } = first
  const other = await replacementOf(secret, current, { ...attempts, refusal })
  if (other !== undefined) {
    const second = await outcomeOf(send(other))
    if ('response' in second) {
      secret.accepted(other, clientId, before)
      return second.response
    }
    secret.refused(other)
    refusal = second.refusal
  }
  const { previous } = secret
  if (previous === undefined || previous === current || previous === other) throw refusal
  const third = await outcomeOf(send(previous))
  if ('response' in third) {
    secret.previousAccepted(previous, clientId, before)
    return third.response
  }
  const again = secret.previousRefused(previous, before)
  if (again === undefined) throw refusal
  const last = await outcomeOf(send(again))
  if ('refusal' in last) throw last.refusal
  secret.accepted(again, clientId, before)
  return last.response
}

/** Another secret after a refusal. Rejects with the refusal when there is no time for another request. */
async function replacementOf(
  secret: ConfiguredSecret,
  current: string,
  { signal, timeoutMs, waitForFunction, refusal }: SecretAttempts & { readonly refusal: BrokerError },
): Promise<string | undefined> {
  const replacement = secret.replacementOf(current, timeoutMs)
  if (!(replacement instanceof Promise)) return replacement
  const hasPrevious = secret.previous !== undefined && secret.previous !== current
  // A function that hangs must leave time for the previous secret.
  const wait = { signal, timeoutMs: hasPrevious ? timeoutMs / 2 : undefined }
  try {
    return await waitForFunction(waitFor(replacement, wait, () => refusal).catch(() => undefined))
  } catch (error) {
    // The deadline is over. Dex has answered, so that it is not the one that was too slow.
    throw BrokerError.is(error) ? error : refusal
  }
}

/** Only a refusal of the secret is an outcome; every other failure rejects. */
async function outcomeOf<T>(request: Promise<T>): Promise<Outcome<T>> {
  try {
    return { response: await request }
  } catch (error) {
    if (BrokerError.is(error) && error.oauthError === 'invalid_client') return { refusal: error }
    throw error
  }
}
