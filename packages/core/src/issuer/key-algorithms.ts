import { optionRules } from '../options/broker-options.ts'
import type { ResolvedIssuer } from '../options/resolved-issuer.ts'

/**
 * The algorithms for which the keys of issuers are usable: the usual ones, and those that one of the issuers accepts on demand. A key
 * for a usual algorithm is not a mistake when its issuer's list lacks it.
 */
export function keyAlgorithms(issuers: readonly Pick<ResolvedIssuer, 'algorithms'>[]): readonly string[] {
  const { default: usual, values } = optionRules['gate.algorithms']
  const accepted = new Set<string>([...usual, ...issuers.flatMap(({ algorithms }) => algorithms)])
  return values.filter(algorithm => accepted.has(algorithm))
}
