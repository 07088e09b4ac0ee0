import type { NextParts } from '../shared/carried-parts.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { Circuits } from '../tokens/dex/circuits.ts'
import { DexOrigin, type DexOriginOptions, maxWaiting } from '../tokens/dex/dex-origin.ts'
import { Slots } from '../tokens/dex/slots.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'

/** The options that the origins of all Dexes share. */
export interface DexOriginDefaults
  extends Omit<DexOriginOptions, 'tokenEndpoint' | 'issuer' | 'option' | 'circuits' | 'slots'> {
  /** Limit of concurrent token requests of each. */
  readonly maxConnections: number
}

export interface CarriedOriginOptions extends Pick<DexOriginOptions, 'tokenEndpoint' | 'option'> {
  /** The expected issuer; `undefined` takes the discovered one, if any. */
  readonly issuer: string | undefined
  /** The name of the issuer. */
  readonly name: string
  readonly defaults: DexOriginDefaults
  /** Work that began with another one is not joined by later callers. */
  readonly transport: Transport
  /** The document from which `tokenEndpoint` comes, if it is discovered. */
  readonly metadata: IssuerMetadata | undefined
}

/**
 * Returns the origin of the tokens of the clients that a certificate authenticates: by itself, because the alias of the token endpoint can
 * be another server. `undefined` when there are no such clients or no discovery document that could have an alias.
 */
export function carriedMtlsOrigin(
  parts: NextParts,
  surroundings: Surroundings,
  options: CarriedOriginOptions & { readonly mtlsIssuers: ReadonlySet<string> },
): DexOrigin | undefined {
  const { name, metadata, mtlsIssuers } = options
  if (metadata === undefined || !mtlsIssuers.has(name)) return undefined
  return carriedOrigin(parts, surroundings, { ...options, name: `${name} mtls` })
}

/** Returns the origin of the tokens of an issuer. Its circuits and the measured latency outlive a change of other options. */
export function carriedOrigin(
  parts: NextParts,
  surroundings: Surroundings,
  options: CarriedOriginOptions,
): DexOrigin {
  const { name, tokenEndpoint, option, transport, metadata, defaults } = options
  const { maxConnections, ...rest } = defaults
  const issuer = () => options.issuer ?? metadata?.issuer
  const circuits = parts.take('circuits', name, [surroundings], () => new Circuits(surroundings))
  const slots = parts.take('slots', name, [surroundings, maxConnections], () => {
    return new Slots({
      max: maxConnections,
      maxWaiting,
      get maxWaitMs() {
        return surroundings.requestTimeoutMs
      },
    })
  })
  const inputs = [surroundings, rest, transport, metadata, option, circuits, slots]
  return parts.take('token origin', name, inputs, () => {
    return new DexOrigin(surroundings, { ...rest, tokenEndpoint, issuer, option, circuits, slots })
  })
}
