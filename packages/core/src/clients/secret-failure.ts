import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import type { SecretOwner } from './secret-owner.ts'
import type { SecretSurroundings } from './secret-surroundings.ts'

/** Logs that the function of a client failed. `isKnown`: an earlier secret is in use. */
export function logSecretFailure(
  { logger, sampler, describeHint }: SecretSurroundings,
  owner: SecretOwner,
  { detail, isKnown }: { readonly detail: string; readonly isKnown: boolean },
): void {
  const { client, option } = owner
  const hint = describeHint(hintFor(owner, detail))
  sampler.note(`client_secret_unavailable ${option}`, count => {
    if (isKnown) logger.warn({ client, hint, count }, 'client secret unavailable; the last one stays in use')
    else logger.error({ client, hint, count }, 'client secret unavailable; token requests fail')
  })
}

/** The error for token requests of a client whose function has never returned a secret. */
export function secretUnavailable(
  owner: SecretOwner,
  {
    detail,
    retryAfterMs,
  }: { readonly detail: string | undefined; readonly retryAfterMs: number | undefined },
): BrokerError {
  return new BrokerError('token_endpoint_unavailable', 'the client secret is unavailable', {
    retryAfterMs,
    transient: true,
    hint: hintFor(owner, detail),
  })
}

function hintFor({ option, isKey }: SecretOwner, detail: string | undefined): Hint {
  const part = isKey === true ? 'authentication.key' : 'clientSecret'
  return { problem: 'secret_unavailable', option: `${option}.${part}`, detail }
}
