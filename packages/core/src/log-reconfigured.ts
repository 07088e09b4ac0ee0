import type { PartChanges } from './shared/carried-parts.ts'
import type { Logger } from './shared/logger.ts'

/** The kinds of parts that an operator knows from the options, or from the log when they are loaded. */
const knownKinds =
  /^(?:client|issuer|rules of issuer|discovery|key set|circuits|verified JWTs|shared store)\b/

/** Logs a reconfiguration: the names of what has changed, and no value. */
export function logReconfigured(logger: Logger, changes: PartChanges, droppedTokens: number): void {
  const known = (names: readonly string[]) => names.filter(name => knownKinds.test(name))
  logger.info(
    {
      renewed: known(changes.renewed),
      added: known(changes.added),
      removed: known(changes.removed),
      ...(droppedTokens > 0 && { droppedTokens }),
    },
    'reconfigured',
  )
}
