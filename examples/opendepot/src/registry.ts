import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer, request } from 'node:https'
import { type Listening, listening, type TlsIdentity } from '@broker/testing'
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { type ModuleAnswer, moduleAnswer, publicAnswer } from './module-registry.ts'

/** The settings of OpenDepot that decide about a token; the names follow its chart. */
export interface RegistrySettings {
  readonly issuerUrl: string
  /** In place of discovery, for a split network. */
  readonly jwksUri: string
  readonly clientId: string
  readonly allowServiceAccountFallback: boolean
  readonly allowClientCredentials: boolean
  /** Groups for which there is a GroupBinding. */
  readonly boundGroups: readonly string[]
  /** The API server, and the file with its CA. Default: none. */
  readonly apiServer?: { readonly url: string; readonly caFile: string }
  /** Serves https, which OpenTofu and Terraform want. Default: http. */
  readonly tls?: TlsIdentity
}

/** An answer of the registry, with the path by which it judged the token. */
export interface RegistryAnswer {
  readonly status: number
  readonly path: 'OIDC' | 'client credentials' | 'service account' | 'none'
  /** The groups that were compared with the GroupBindings. */
  readonly groups?: readonly string[]
}

export interface Registry extends Listening {
  /** Requests that arrived. */
  readonly requests: number
  /** The paths of these, each with the status and whether it had a bearer token. */
  readonly log: readonly RegistryLogEntry[]
}

export interface RegistryLogEntry {
  readonly path: string
  readonly status: number
  readonly hasToken: boolean
}

/** Starts a registry that judges tokens in OpenDepot's order, and serves a module to those that it accepts. */
export async function startRegistry(settings: RegistrySettings): Promise<Registry> {
  const verifier = createVerifier(settings)
  const log: RegistryLogEntry[] = []
  const listener: RequestListener = async (incoming, outgoing) => {
    const path = incoming.url ?? ''
    const hasToken = bearerOf(incoming) !== ''
    // It arrived, also when it is not answered.
    const index = log.push({ path, status: 0, hasToken }) - 1
    const { status, headers, body } = publicAnswer(path) ?? (await judged(path, bearerOf(incoming)))
    log[index] = { path, status, hasToken }
    outgoing.writeHead(status, headers).end(body)
  }
  const judged = async (path: string, token: string): Promise<ModuleAnswer> => {
    const answer = await verifier(token)
    const module = answer.status === 200 ? moduleAnswer(path) : undefined
    const headers = { 'content-type': 'application/json' }
    return module ?? { status: answer.status, headers, body: JSON.stringify(answer) }
  }
  const server = await listening(
    settings.tls ? createTlsServer(settings.tls, listener) : createServer(listener),
  )
  return {
    ...server,
    log,
    get requests() {
      return log.length
    },
  }
}

/** The prefix is compared in this case, as in OpenDepot. */
function bearerOf({ headers: { authorization = '' } }: IncomingMessage): string {
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : ''
}

// #region order
function createVerifier(settings: RegistrySettings) {
  const { issuerUrl: issuer, clientId: audience } = settings
  const keys = createRemoteJWKSet(new URL(settings.jwksUri))

  return async (token: string): Promise<RegistryAnswer> => {
    // 1. The primary verifier: signature, expiry, issuer and audience.
    const user = await claimsOf(jwtVerify(token, keys, { issuer, audience }))
    if (user !== undefined) return bound(settings, 'OIDC', user['groups'])
    // 2. Which issuer does the token claim?
    if (issuerOf(token) !== issuer) return asServiceAccount(settings, token)
    // 3. The secondary verifier has no audience. The group is made from `sub`.
    if (!settings.allowClientCredentials) return refused
    const machine = await claimsOf(jwtVerify(token, keys, { issuer }))
    return machine === undefined ? refused : bound(settings, 'client credentials', [`client:${machine.sub}`])
  }
}
// #endregion order

const refused: RegistryAnswer = { status: 401, path: 'none' }

/** GroupBindings; a token without groups is forbidden. */
function bound(
  { boundGroups }: RegistrySettings,
  path: RegistryAnswer['path'],
  claim: unknown,
): RegistryAnswer {
  const groups = Array.isArray(claim) ? claim.map(String) : []
  return { status: groups.some(group => boundGroups.includes(group)) ? 200 : 403, path, groups }
}

/** The API server judges the token by itself; here, reading its discovery stands for reading modules. */
async function asServiceAccount(
  { allowServiceAccountFallback, apiServer }: RegistrySettings,
  token: string,
): Promise<RegistryAnswer> {
  if (!allowServiceAccountFallback || apiServer === undefined || issuerOf(token) === undefined) return refused
  const status = await new Promise<number>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const ca = readFileSync(apiServer.caFile)
    const url = `${apiServer.url}/.well-known/openid-configuration`
    const sent = request(url, { headers, ca, agent: false }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject).end()
  })
  return { status, path: 'service account' }
}

async function claimsOf(verified: Promise<{ payload: JWTPayload }>): Promise<JWTPayload | undefined> {
  return (await verified.catch(() => undefined))?.payload
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
