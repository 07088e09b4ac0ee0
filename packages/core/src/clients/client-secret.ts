import { optionRules } from '../options/broker-options.ts'

/** Tells why a value cannot be a client secret, in words that follow it; `undefined` when it can. */
export function clientSecretProblem(secret: unknown): string | undefined {
  if (typeof secret !== 'string') return 'is not a string'
  if (secret === '') return 'is empty'
  if (secret.length > optionRules['client.clientSecret'].maxLength) return 'is too long'
  return secret.isWellFormed() ? undefined : 'is not valid Unicode'
}
