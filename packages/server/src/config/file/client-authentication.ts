import type { AssertionAlgorithm, ClientAuthentication } from '@broker/core'
import { assertionKeyProblem, optionRules } from '@broker/core/options'
import { type KeyPair, readKeyPair } from '../values/key-pair.ts'
import { quoteValue } from '../values/quote-value.ts'
import type { ReadTextFile } from '../values/read-text-file.ts'
import { Refusal } from '../values/refusal.ts'
import type { AuthenticationDefinition } from './authentication-schema.ts'

/** Authentication of a client, with what its files hold. */
export interface ReadAuthentication {
  readonly authentication: ClientAuthentication
  /** The certificate that its connections present. */
  readonly identity: KeyPair | undefined
}

/** In UTF-8, with what an editor adds at the end. */
const maxKeyBytes = optionRules['client.authentication.key'].maxLength + 2

/** Reads the files of `authentication`. Throws a `Refusal` that never holds a key. */
export function readAuthentication(
  { method, keyFile, certFile, keyId, algorithm, audience }: AuthenticationDefinition,
  read: ReadTextFile,
): ReadAuthentication {
  if (method !== 'private_key_jwt') {
    const identity =
      certFile === undefined || keyFile === undefined ? undefined : readKeyPair(certFile, keyFile, read)
    return { authentication: { method }, identity }
  }
  const settings = {
    ...(keyId !== undefined && { keyId }),
    ...(algorithm !== undefined && { algorithm: algorithm as AssertionAlgorithm }),
  }
  const key = read(keyFile ?? '', maxKeyBytes, text => {
    const problem = assertionKeyProblem(text.trim(), settings)
    if (problem !== undefined) throw new Refusal(`the key in ${quoteValue(keyFile ?? '')} ${problem}`)
    return text.trim()
  })
  return {
    authentication: { method, key, ...settings, ...(audience !== undefined && { audience }) },
    identity: undefined,
  }
}
