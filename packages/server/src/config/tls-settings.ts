import type { VariableFault } from './config-error.ts'
import type { ClientIdentities } from './file/file-parts.ts'
import { faultOf, type SettingsReading } from './schema/read-settings.ts'
import type { CaFile } from './values/ca-file.ts'
import { type KeyPair, readKeyPair } from './values/key-pair.ts'
import type { ReadTextFile } from './values/read-text-file.ts'
import { Refusal } from './values/refusal.ts'

/** TLS of a listener. */
export interface TlsSettings {
  readonly pair: KeyPair
  /** Authorities of client certificates; `undefined`: callers need none. */
  readonly clientCa: CaFile | undefined
  /** The names of the callers that may connect; `undefined`: every one with a certificate. */
  readonly clientNames: readonly string[] | undefined
}

/** The certificates of the variables. */
export interface TlsParts {
  /** Of the check and gRPC listeners; `undefined` without TLS. */
  readonly tls?: TlsSettings
  /** Of the admin listener; `undefined` without TLS. */
  readonly adminTls?: TlsSettings
  /** The client certificate for Dex, of the variables. */
  readonly dexClientPair?: KeyPair
}

/** All certificates of a configuration, with the certificates of clients in the file. */
export interface CertificateParts extends TlsParts {
  readonly file?: { readonly clientIdentities: ClientIdentities }
}

/** The variables of a certificate and its key. */
export const keyPairVariables = [
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['ADMIN_TLS_CERT_FILE', 'ADMIN_TLS_KEY_FILE'],
  ['DEX_CLIENT_CERT_FILE', 'DEX_CLIENT_KEY_FILE'],
] as const

/** Reads the certificates with their keys, where the files are valid separately. */
export function readTlsParts(
  { settings }: SettingsReading,
  read: ReadTextFile,
): { readonly parts: TlsParts; readonly faults: readonly VariableFault[] } {
  const faults: VariableFault[] = []
  const [pair, adminPair, dexClientPair] = keyPairVariables.map(([certificateVariable, keyVariable]) => {
    const certificate = settings[certificateVariable]
    const key = settings[keyVariable]
    if (certificate === undefined || key === undefined) return undefined
    try {
      return readKeyPair(certificate.path, key.path, read)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      faults.push(...error.problems.map(problem => faultOf(keyVariable, problem)))
      return undefined
    }
  })
  const { TLS_CLIENT_CA_FILE, TLS_CLIENT_SANS, ADMIN_TLS_CLIENT_CA_FILE } = settings
  return {
    parts: {
      ...(pair && {
        tls: { pair, clientCa: TLS_CLIENT_CA_FILE, clientNames: TLS_CLIENT_SANS },
      }),
      ...(adminPair && {
        adminTls: {
          pair: adminPair,
          clientCa: ADMIN_TLS_CLIENT_CA_FILE,
          clientNames: undefined,
        },
      }),
      ...(dexClientPair && { dexClientPair }),
    },
    faults,
  }
}
