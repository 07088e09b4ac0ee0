import { KeySource, type KeySourceOptions } from '../gate/keys/key-source.ts'
import type { NextParts } from '../shared/carried-parts.ts'
import type { IssuerSurroundings } from './issuer-surroundings.ts'

export interface CarriedKeysOptions extends KeySourceOptions {
  /** The name of the issuer. */
  readonly name: string
}

/**
 * Returns the keys of an issuer: the same ones as long as its URLs and the algorithms of its keys stay. Other ages count for keys that
 * are loaded too.
 */
export function carriedKeys(
  parts: NextParts,
  surroundings: IssuerSurroundings,
  { name, ...options }: CarriedKeysOptions,
): KeySource {
  const keys = parts.take(
    'key set',
    name,
    [surroundings, options.algorithms],
    () => new KeySource(surroundings, options),
  )
  parts.atSwap(() => {
    keys.options = options
  })
  return keys
}
