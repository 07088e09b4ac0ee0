import { rejectionHint } from '../shared/rejection-hint.ts'
import type { SecretOwner } from './secret-owner.ts'
import type { SecretSurroundings } from './secret-surroundings.ts'

/** Logs that Dex accepted the current secret or key of a client that used the previous one until now. */
export function logAccepted(
  { logger }: SecretSurroundings,
  { client, isKey }: SecretOwner,
  clientId: string,
): void {
  if (isKey === true) logger.info({ client, clientId }, 'client key accepted')
  else logger.info({ client, clientId }, 'client secret accepted')
}

/** Logs that Dex refused the current secret or key of a client and accepted the previous one. */
export function logPreviousInUse(
  { logger, describeHint }: SecretSurroundings,
  { client, option, isKey = false }: SecretOwner,
  clientId: string,
): void {
  const fields = { client, clientId, hint: describeHint(rejectionHint(option, !isKey)) }
  if (isKey) logger.warn(fields, 'client key rejected by the issuer; the previous one is in use')
  else logger.warn(fields, 'client secret rejected by Dex; the previous one is in use')
}
