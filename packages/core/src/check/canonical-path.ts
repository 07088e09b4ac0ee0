import { isUnambiguousPath } from '../shared/unambiguous-path.ts'

/** Paths in canonical form already: most paths are. No segment is empty or consists of dots. */
const canonical = /^(?:\/(?!\.*\/|\.+$)[\w\-.~!$&'()*+,=:@]*)+$/

/**
 * What a backend may cut off, take for another character, or read in its own way: control characters, blanks and characters
 * outside ASCII as they are; `?`, `#`, backslashes and `;`; empty segments; escapes that are none, or of a slash, a backslash or `;`.
 */
const refused = /[^\x21-\x7e]|[#;?\\]|\/\/|%(?![\da-f]{2})|%(?:2f|3b|5c)/i

/** An escape that appears when the path is decoded: a backend that decodes twice reads another path. */
const encoded = /%[\da-f]{2}/i

/** Escapes, and characters that a path must not contain as they are. */
const escapeOrForeign = /%[\da-f]{2}|[^\w\-.~!$&'()*+,=:@/%]/gi

/** The characters of a path segment (RFC 3986 section 3.3) without `;`, after which servers look for parameters. */
const segmentCharacter = /^[\w\-.~!$&'()*+,=:@]$/

/**
 * Returns the only spelling of a path that rules see: characters of a path segment are decoded, everything else is escaped in
 * upper case.
 *
 * Returns `undefined` for a path that backends could read as different ones: see `refused` here and `isUnambiguousPath`.
 */
export function canonicalPath(rawPath: string): string | undefined {
  if (canonical.test(rawPath)) return rawPath
  if (!rawPath.startsWith('/') || refused.test(rawPath) || !isUnambiguousPath(rawPath)) return undefined
  if (encoded.test(decodeURIComponent(rawPath))) return undefined
  return rawPath.replace(escapeOrForeign, respelled)
}

function respelled(text: string): string {
  const escaped = text.length === 3
  const character = escaped ? String.fromCharCode(Number.parseInt(text.slice(1), 16)) : text
  if (segmentCharacter.test(character)) return character
  return escaped ? text.toUpperCase() : encodeURIComponent(text)
}
