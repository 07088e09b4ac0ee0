/** A parameter of a challenge (RFC 9110 section 11.2), its value quoted or not; never starts inside a name. */
const parameter = /(?<![\w!#$%&'*+.^`|~-])([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g

/**
 * Tells whether a `WWW-Authenticate` header reports `insufficient_scope` (RFC 6750 section 3.1): the token is valid, and a new
 * one would not help. A header can contain several challenges.
 */
export function saysInsufficientScope(challenges: string | null): boolean {
  for (const [, name, quoted, plain] of (challenges ?? '').matchAll(parameter)) {
    if (name?.toLowerCase() === 'error' && (quoted ?? plain)?.toLowerCase() === 'insufficient_scope')
      return true
  }
  return false
}
