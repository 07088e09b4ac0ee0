import type { CredentialHeaderNames } from './credential-headers.ts'
import type { Challenges } from './verdict.ts'

/** Without Basic, no scheme carries client credentials: Bearer then only says that the request needs authentication. */
export function credentialSchemes(
  { basic }: CredentialHeaderNames,
  hasGate: boolean,
): Challenges['credentialSchemes'] {
  if (basic === undefined) return ['Bearer']
  return hasGate ? ['Basic', 'Bearer'] : ['Basic']
}
