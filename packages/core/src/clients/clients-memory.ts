// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import { assertionKeyProblem } from './assertion-key.ts'
import type { ConfiguredClient } from './client.ts'
import { ClientAssertions } from './client-assertions.ts'
import type { AssertionSettings, ClientAuthenticationMethod } from './client-authentication.ts'
import { ConfiguredSecret } from './configured-secret.ts'
import { SecretCalls } from './secret-calls.ts'
import type { SecretSource } from './secret-source.ts'
import type { SecretSurroundings } from './secret-surroundings.ts'

/** A configured client that has a secret. */
export interface SecretHolder {
  readonly name: string
  /** Whether the name is one in the option `clients`. */
  readonly isNamed: boolean
  /** Identifies the token endpoint. */
  readonly endpoint: string
  readonly authMethod: ClientAuthenticationMethod
  readonly clientId: string | undefined
  readonly clientSecret: string | SecretSource
  /** Set when the secret is a private key. */
  readonly assertions?: AssertionSettings | undefined
}

/**
 * The part of a broker's clients that outlives a new configuration: the salt of cache keys, so that the same client has the same
 * keys, and the secrets, so that the previous one of a client is known.
 */
export class ClientsMemory {
  readonly salt: Buffer = crypto.randomBytes(16)
  readonly #surroundings: SecretSurroundings
  readonly #calls = new SecretCalls()
  #secrets: ReadonlyMap<string, ConfiguredSecret> = new Map()

  constructor(surroundings: SecretSurroundings) {
    this.#surroundings = surroundings
  }

  /**
   * Returns the secrets of these clients by client name, and forgets the secrets of all others. A client with the same name, endpoint, method
   * and client id keeps its secret's history.
   */
  secretsOf(holders: readonly SecretHolder[]): ReadonlyMap<string, ConfiguredSecret> {
    const secrets = new Map<string, ConfiguredSecret>()
    const byName = new Map<string, ConfiguredSecret>()
    for (const holder of holders) {
      const { name, isNamed, endpoint, authMethod, clientId, clientSecret, assertions } = holder
      const { algorithm } = assertions ?? {}
      const id = JSON.stringify([isNamed, name, endpoint, authMethod, clientId, algorithm])
      const known = this.#secrets.get(id)
      known?.set(clientSecret)
      const owner = isNamed
        ? { client: name, option: `clients.${name}`, isKey: assertions !== undefined }
        : { client: undefined, option: 'client', isKey: assertions !== undefined }
      const problemOf = assertions && ((key: unknown) => assertionKeyProblem(key, { algorithm }))
      const secret =
        known ?? new ConfiguredSecret(this.#surroundings, this.#calls, owner, clientSecret, problemOf)
      secrets.set(id, secret)
      byName.set(name, secret)
    }
    this.#secrets = secrets
    return byName
  }

  /** Makes the assertions of a client; `undefined` when it authenticates in another way. `option`: the path of its options. */
  assertionsOf({ authentication }: ConfiguredClient, option: string): ClientAssertions | undefined {
    if (authentication?.method !== 'private_key_jwt') return undefined
    return new ClientAssertions(authentication, option, this.#surroundings.clock)
  }

  /** Has the functions called before the next use of their secrets. */
  renew(): void {
    for (const secret of this.#secrets.values()) secret.renew()
  }

  /** Ends the calls under way, also for former clients for which a caller still waits. */
  close(): void {
    this.#calls.close()
  }
}
