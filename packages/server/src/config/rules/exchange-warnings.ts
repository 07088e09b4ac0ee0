import type { ConfigFile } from '../file/config-file.ts'
import { quoteValue } from '../values/quote-value.ts'

/**
 * Lists rules that can only exchange JWTs of Dex at that same Dex, which knows the issuers of its connectors and not itself.
 * `dexIssuer` is the issuer of clients that name no other.
 */
export function exchangeWarnings(
  { path, issuers, clients, rules }: ConfigFile,
  dexIssuer: string | undefined,
): readonly string[] {
  return rules.flatMap(({ definition: { name, when, exchange } }) => {
    if (exchange === undefined) return []
    const ofCallers =
      issuers.length === 1
        ? issuers[0]
        : issuers.find(({ definition }) => definition.name === requiredIssuer(when))
    if (ofCallers === undefined) return []
    const dex = clients.find(({ definition }) => definition.name === exchange.client)?.definition.dex
    const isSame =
      dex === undefined
        ? dexIssuer !== undefined && ofCallers.definition.issuer === dexIssuer
        : ofCallers.definition.name === dex
    if (!isSame) return []
    return [
      `${path}: the rule ${quoteValue(name)} exchanges JWTs of the issuer ${quoteValue(ofCallers.definition.name)} at the Dex that issued them; Dex exchanges only JWTs of the providers behind its connectors. Use pass: true for callers who have a token of this Dex.`,
    ]
  })
}

/** The issuer that a condition requires by its first operand; `undefined` when the condition may also hold for another. */
function requiredIssuer(when: string): string | undefined {
  if (/\|\||\?/.test(when)) return undefined
  return /^\s*caller\.issuer\s*==\s*(?:"([\w.-]+)"|'([\w.-]+)')\s*(?:&&|$)/.exec(when)?.slice(1).find(Boolean)
}
