/** One parameter of a challenge (RFC 9110 section 11.2), its value quoted or not; never starts inside a name. */
const parameter = /(?<![\w!#$%&'*+.^`|~-])([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g

/**
 * Whether an answer means that the backend does not take the token, and may take another one: a 401 that does not say
 * `insufficient_scope`. `challenges` is the value of its `WWW-Authenticate`.
 */
export function refusesToken(status: number, challenges: string | null): boolean {
  return status === 401 && !saysInsufficientScope(challenges)
}

/**
 * Whether a `WWW-Authenticate` header says that the token is good but not good enough (RFC 6750 section 3.1): a fresh
 * one of the same kind would not help. Several challenges may stand in one header.
 */
function saysInsufficientScope(challenges: string | null): boolean {
  for (const [, name, quoted, plain] of (challenges ?? '').matchAll(parameter)) {
    if (name?.toLowerCase() === 'error' && (quoted ?? plain)?.toLowerCase() === 'insufficient_scope')
      return true
  }
  return false
}
