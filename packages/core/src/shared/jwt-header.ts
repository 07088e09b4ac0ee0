import { jwtPart } from './jwt-part.ts'

/** Limits of remembered headers: issuers sign with few keys, but a caller can make up any header. */
const maxKnown = 16
const maxLength = 512

const known = new Map<string, Readonly<Record<string, unknown>>>()

/** Decodes the header of a JWT like {@link jwtPart}. Remembers it, because the JWTs of one key have the same one. */
export function jwtHeader(encoded: string): Readonly<Record<string, unknown>> | undefined {
  const remembered = known.get(encoded)
  if (remembered !== undefined) return remembered
  const header = jwtPart(encoded)
  if (header === undefined || encoded.length > maxLength) return header
  if (known.size >= maxKnown) known.clear()
  // A copy, because the part of a text can keep the whole text in memory.
  known.set(Buffer.from(encoded).toString(), Object.freeze(header))
  return header
}
