import { constants, generateKeyPairSync, type KeyObject, type SigningOptions, sign } from 'node:crypto'
import type { TokenBrokerOptions, Transport } from '@broker/core'
import { WrongArguments } from '../command-line/wrong-arguments.ts'

const kid = 'explain'
const wellKnown = '/.well-known/openid-configuration'
/** Time that a JWT without `exp` lives, in seconds. */
const lifeSeconds = 300

/** The algorithms by which claims can be signed, with their keys. */
const signers = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  Ed25519: () => generateKeyPairSync('ed25519'),
} as const
type Algorithm = keyof typeof signers

/** The part of the options that names issuers. */
type IssuerSettings = Pick<TokenBrokerOptions, 'issuer' | 'issuers' | 'gate'>

/**
 * Stands in for all issuers of a broker, so that claims without a JWT pass through the real gate: signs them, and answers
 * discovery and key sets with its key. It sends nothing.
 */
export class MadeUpIssuers {
  readonly #settings: IssuerSettings
  readonly #keys = new Map<Algorithm, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>()
  #iss = ''

  constructor(settings: IssuerSettings) {
    this.#settings = settings
  }

  /**
   * Signs claims as the JWT of an issuer: the named one, else the one in `iss`, else the only one. Adds `iss` and `exp` where
   * they are absent. Throws {@link WrongArguments} when the issuer is not clear.
   */
  jwtOf(claims: Readonly<Record<string, unknown>>, issuerName: string | undefined): string {
    const { iss, algorithms } = this.#issuerOf(claims, issuerName)
    this.#iss = iss
    const exp = Math.floor(Date.now() / 1000) + lifeSeconds
    const algorithm = algorithmOf(algorithms)
    const { privateKey } = this.#keyFor(algorithm)
    const input = `${encoded({ alg: algorithm, kid })}.${encoded({ iss, exp, ...claims })}`
    return `${input}.${signatureOf(input, algorithm, privateKey).toString('base64url')}`
  }

  /** Answers discovery and key sets; for `transport` of the broker and of its issuers. */
  readonly transport: Transport = async url => {
    if (!url.endsWith(wellKnown)) return Response.json({ keys: this.#jwks() })
    const issuer = this.#issuerAt(url)
    return Response.json({ issuer, jwks_uri: `${url}/keys`, token_endpoint: `${url}/token` })
  }

  #issuerOf(
    claims: Readonly<Record<string, unknown>>,
    name: string | undefined,
  ): { readonly iss: string; readonly algorithms?: readonly string[] | undefined } {
    const { issuer, issuers = [], gate } = this.#settings
    const ofClaims = typeof claims['iss'] === 'string' ? claims['iss'] : undefined
    if (issuers.length === 0)
      return {
        iss: ofClaims ?? gate?.issuer ?? issuer ?? 'https://issuer.example.com',
        algorithms: gate?.algorithms,
      }
    const names = issuers.map(each => each.name).join(', ')
    const chosen =
      name === undefined
        ? (issuers.find(each => ofClaims !== undefined && each.issuer === ofClaims) ??
          (issuers.length === 1 || ofClaims !== undefined ? issuers[0] : undefined))
        : issuers.find(each => each.name === name)
    if (chosen === undefined) {
      throw new WrongArguments(
        name === undefined
          ? `the claims have no iss; add it, or name the issuer with --issuer: ${names}`
          : `there is no issuer ${JSON.stringify(name)}; issuers: ${names}`,
      )
    }
    return {
      iss: ofClaims ?? chosen.issuer ?? 'https://kubernetes.default.svc.cluster.local',
      algorithms: chosen.algorithms,
    }
  }

  /** A document names the issuer whose document it is; one that only the document names is the issuer of the claims. */
  #issuerAt(url: string): string {
    const { issuer, issuers = [], gate } = this.#settings
    const known = [issuer, gate?.issuer, ...issuers.map(each => each.issuer)]
    const atUrl = known.find(iss => iss !== undefined && `${iss.replace(/\/$/, '')}${wellKnown}` === url)
    return atUrl ?? issuers.find(each => each.discoveryUrl === url)?.issuer ?? this.#iss
  }

  #jwks(): object[] {
    return [...this.#keys].map(([alg, { publicKey }]) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg,
      use: 'sig',
    }))
  }

  #keyFor(algorithm: Algorithm): { readonly privateKey: KeyObject } {
    const key = this.#keys.get(algorithm) ?? signers[algorithm]()
    this.#keys.set(algorithm, key)
    return key
  }
}

function algorithmOf(allowed: readonly string[] = ['RS256']): Algorithm {
  const found = allowed.find((name): name is Algorithm => name in signers)
  if (found === undefined) {
    throw new WrongArguments(
      `--claims can sign by ${Object.keys(signers).join(', ')} only, which the issuer does not allow; use --jwt-file`,
    )
  }
  return found
}

function signatureOf(input: string, algorithm: Algorithm, key: KeyObject): Buffer {
  const hash = algorithm.startsWith('Ed') ? undefined : 'sha256'
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const options: SigningOptions =
    algorithm === 'PS256' ? { padding, saltLength } : { dsaEncoding: 'ieee-p1363' }
  return sign(hash, Buffer.from(input), { key, ...options })
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
