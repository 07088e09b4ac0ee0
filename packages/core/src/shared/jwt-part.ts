import { isUtf8 } from 'node:buffer'
import { parseJsonObject } from './http/parse-json-object.ts'

/**
 * Decodes header or claims of a compact JWS; `undefined` unless they are a JSON object in UTF-8 (RFC 7519 section 7.2). Invalid bytes
 * would decode to the same character and make two subjects equal.
 */
export function jwtPart(encoded: string): Record<string, unknown> | undefined {
  const bytes = Buffer.from(encoded, 'base64url')
  return isUtf8(bytes) ? parseJsonObject(bytes.toString()) : undefined
}

/** Decodes it with a replacement for each invalid byte: for people, and for JWTs that another server judges. */
export function lenientJwtPart(encoded: string): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(encoded, 'base64url').toString())
}
