/** A URL without user information and query, which could contain a secret. */
const plainUrl = /^https?:\/\/[\w.~%:[\]/-]{1,300}$/i

/** Returns a plain URL verbatim, for the log, because issuers are compared exactly; `undefined` for any other value. */
export function plainUrlOf(issuer: unknown): string | undefined {
  return typeof issuer === 'string' && plainUrl.test(issuer) ? issuer : undefined
}
