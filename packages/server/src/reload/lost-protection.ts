import type { Config } from '../config/config.ts'

/**
 * Finds what a reload would no longer ask of callers: a file that is empty or cut off is often valid, and would open a broker that
 * runs with a gate or with rules. Removing them takes a restart, which nobody does by accident.
 */
export function lostProtection(running: Config, { file, broker }: Config): readonly string[] {
  // Without a file, nothing but secrets and certificates can change.
  if (file === undefined) return []
  const { path, isEmpty } = file
  if (isEmpty && running.file?.isEmpty === false) {
    return [`${path}: is empty; write it again, or restart the broker to run without its entries`]
  }
  const losses: string[] = []
  if (hasGate(running.broker) && !hasGate(broker)) {
    losses.push(
      `${path}: no longer has a JWT gate, and a reload does not open the broker to every caller; restore the gate, or restart the broker to run without it`,
    )
  }
  if (running.file?.rules && !file.rules) {
    losses.push(
      `${path}: no longer has rules, and a reload does not give every caller the token of the default client; restore a rule, or restart the broker to run without rules`,
    )
  }
  return losses
}

function hasGate({ gate, issuers }: Config['broker']): boolean {
  return gate !== undefined || issuers !== undefined
}
