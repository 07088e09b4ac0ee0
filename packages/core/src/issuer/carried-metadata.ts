import type { NextParts } from '../shared/carried-parts.ts'
import { IssuerMetadata, type IssuerMetadataOptions } from './issuer-metadata.ts'
import type { IssuerSurroundings } from './issuer-surroundings.ts'

export interface CarriedMetadataOptions extends IssuerMetadataOptions {
  /** The name of the issuer in the options. */
  readonly name: string
}

/** Returns the discovery document of an issuer: the same one as long as it is judged by the same options. */
export function carriedMetadata(
  parts: NextParts,
  surroundings: IssuerSurroundings,
  { name, ...options }: CarriedMetadataOptions,
): IssuerMetadata {
  const metadata = parts.take(
    'discovery',
    name,
    [surroundings, options],
    () => new IssuerMetadata(surroundings, options),
  )
  // The transport can be another one, or trust other certificates.
  parts.atSwap(() => metadata.endPause())
  return metadata
}
