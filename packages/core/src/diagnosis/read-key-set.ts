import { parseJwt } from '../gate/jwt/jwt.ts'
import { KeySet, type UnusableKey, type UsableKey } from '../gate/keys/key-set.ts'
import { keyAlgorithms } from '../issuer/key-algorithms.ts'
import { optionRules } from '../options/broker-options.ts'
import { BrokerError } from '../shared/errors.ts'

/** A key set as the broker judges it. */
export interface KeySetReading {
  /** The keys that can verify JWTs, in the order of the set. */
  readonly usable: readonly UsableKey[]
  /** The keys that the broker ignores, each with its reason. */
  readonly unusable: readonly UnusableKey[]
  /** Resolves with why no key of the set verifies a JWT, in words that follow "the JWT"; `undefined` when one does. */
  signatureProblem(jwt: string): Promise<string | undefined>
}

/**
 * Reads a JWK set by the rules of the gate; `undefined` when the text is not one (RFC 7517 section 5) or has no keys. `algorithms` is
 * the value of `gate.algorithms`, with the same default.
 */
export function readKeySet(
  text: string,
  algorithms: readonly string[] = optionRules['gate.algorithms'].default,
): KeySetReading | undefined {
  const usable = keyAlgorithms([{ algorithms }])
  const keySet = KeySet.parse(text, usable)
  if (keySet === undefined) return undefined
  return {
    usable: keySet.usable,
    unusable: keySet.unusable,
    async signatureProblem(jwt) {
      try {
        await keySet.verify(parseJwt(jwt, usable))
        return undefined
      } catch (error) {
        if (!BrokerError.is(error)) throw error
        return error.cause instanceof Error ? error.cause.message : error.message
      }
    },
  }
}
