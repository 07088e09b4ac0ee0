import type { Entry } from './config-file.ts'
import type { FileFinding } from './file-finding.ts'
import type { ClientDefinition } from './file-schema.ts'

type Clients = readonly Entry<ClientDefinition>[]

/** Finds what is wrong with how clients authenticate: a second source, keys of another method, two certificates. */
export function authenticationFindings(clients: Clients, hasDexCertificate: boolean): readonly FileFinding[] {
  return [
    ...clients.flatMap(entry => sourceFindings(entry)),
    ...clients.flatMap(entry => keyFindings(entry, hasDexCertificate)),
    ...certificateFindings(clients, hasDexCertificate),
  ]
}

function sourceFindings({ path, definition }: Entry<ClientDefinition>): readonly FileFinding[] {
  const { clientSecret, authentication, authMethod } = definition
  const at = [...path, 'clientSecret']
  if (authentication === undefined) {
    if (clientSecret === undefined) return []
    const hasOne = (clientSecret.env === undefined) !== (clientSecret.file === undefined)
    return hasOne ? [] : [{ path: at, problem: 'must have either env or file' }]
  }
  const excluded = Object.entries({ clientSecret, authMethod }).filter(([, value]) => value !== undefined)
  return excluded.map(([key]) => ({
    path: [...path, key],
    isKey: true,
    problem: 'has no meaning beside authentication',
    example: false,
  }))
}

function keyFindings(
  { path, definition: { authentication } }: Entry<ClientDefinition>,
  hasDexCertificate: boolean,
): readonly FileFinding[] {
  if (authentication === undefined) return []
  const at = [...path, 'authentication']
  const { method, keyFile, certFile } = authentication
  const isJwt = method === 'private_key_jwt'
  const foreign = isJwt ? (['certFile'] as const) : (['keyId', 'algorithm', 'audience'] as const)
  const findings: FileFinding[] = foreign
    .filter(key => authentication[key] !== undefined)
    .map(key => ({
      path: [...at, key],
      isKey: true,
      problem: `has no meaning with ${method}`,
      example: false,
    }))
  const isOfDex = !isJwt && hasDexCertificate && certFile === undefined && keyFile === undefined
  if (keyFile === undefined && !isOfDex)
    findings.push({ path: [...at, 'keyFile'], problem: `is missing; ${method} needs it` })
  if (!isJwt && certFile === undefined && !isOfDex)
    findings.push({ path: [...at, 'certFile'], problem: `is missing; ${method} needs it` })
  return findings
}

/** A connection presents one certificate, so that the clients of one issuer share it. */
function certificateFindings(clients: Clients, hasDexCertificate: boolean): readonly FileFinding[] {
  const used = new Map<string | undefined, string>()
  return clients.flatMap(({ path, definition: { dex, authentication } }) => {
    const file = authentication?.certFile
    if (file === undefined || authentication?.method === 'private_key_jwt') return []
    const at = [...path, 'authentication', 'certFile']
    if (dex === undefined && hasDexCertificate)
      return [
        {
          path: at,
          problem: 'is a second certificate for the Dex of DEX_CLIENT_CERT_FILE; remove one of them',
          example: false,
        },
      ]
    const other = used.get(dex)
    used.set(dex, other ?? file)
    if (other === undefined || other === file) return []
    return [
      {
        path: at,
        problem:
          'differs from the certificate of another client with the same dex; a connection presents one',
        example: false,
      },
    ]
  })
}
