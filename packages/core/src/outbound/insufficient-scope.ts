/** One parameter of a challenge (RFC 9110 section 11.2), its value quoted or not; never starts inside a name. */
const parameter = /(?<![\w!#$%&'*+.^`|~-])([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g

/**
 * Whether a `WWW-Authenticate` header says that the token is good but not good enough (RFC 6750 section 3.1): a fresh
 * one of the same kind would not help. Several challenges may stand in one header.
 */
export function saysInsufficientScope(challenges: string | null): boolean {
  for (const [, name, quoted, plain] of (challenges ?? '').matchAll(parameter)) {
    if (name?.toLowerCase() === 'error' && (quoted ?? plain)?.toLowerCase() === 'insufficient_scope')
      return true
  }
  return false
}
