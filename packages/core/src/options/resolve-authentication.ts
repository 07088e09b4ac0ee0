import { assertionAlgorithms, assertionKeyProblem, keyTextOf } from '../clients/assertion-key.ts'
import type { ConfiguredClient } from '../clients/client.ts'
import type {
  AssertionKeySource,
  AssertionSettings,
  ClientAuthentication,
  ClientAuthenticationMethod,
  PrivateKeyJwt,
  SignedPrivateKeyJwt,
} from '../clients/client-authentication.ts'
import type { SecretSource } from '../clients/secret-source.ts'
import { type DefaultClient, optionRules } from './broker-options.ts'
import { assertKnownNames, assertPlainObject, checked } from './option-values.ts'

type ResolvedAuthentication = Pick<ConfiguredClient, 'method' | 'authentication'> &
  Partial<Pick<ConfiguredClient, 'clientSecret'>>

const methods: { readonly [Method in ClientAuthenticationMethod]: true } = {
  client_secret_basic: true,
  client_secret_post: true,
  private_key_jwt: true,
  tls_client_auth: true,
  self_signed_tls_client_auth: true,
}
const assertionNames: { readonly [Name in keyof Required<PrivateKeyJwt & SignedPrivateKeyJwt>]: true } = {
  method: true,
  key: true,
  sign: true,
  keyId: true,
  algorithm: true,
  audience: true,
}

/** Validates `authentication` of a client at the path of an option; `undefined` without one. Never repeats a key. */
export function resolveAuthentication(
  { clientId, clientSecret, authentication }: DefaultClient,
  client: string,
): ResolvedAuthentication | undefined {
  if (authentication === undefined || authentication === null) return undefined
  const option = `${client}.authentication`
  assertPlainObject(authentication, option)
  const { method } = authentication
  if (typeof method !== 'string' || !Object.hasOwn(methods, method)) {
    throw new TypeError(`${option}.method must be one of ${Object.keys(methods).join(', ')}`)
  }
  const names = method === 'private_key_jwt' ? assertionNames : { method: true }
  assertKnownNames(authentication, Object.keys(names), `${option}.`)
  if (!clientId) throw new TypeError(`${client}.clientId is required with ${option}`)
  if (method === 'client_secret_basic' || method === 'client_secret_post') {
    if (!clientSecret)
      throw new TypeError(`${client}.clientSecret is required with ${option}.method ${method}`)
    return { method }
  }
  if (clientSecret) throw new TypeError(`${client}.clientSecret excludes ${option}.method ${method}`)
  if (method !== 'private_key_jwt') return { method, authentication: { method } }
  return { method, ...resolveAssertions(authentication, option) }
}

type AssertionOptions = Extract<ClientAuthentication, { readonly method: 'private_key_jwt' }>

function resolveAssertions(
  options: AssertionOptions,
  option: string,
): Omit<ResolvedAuthentication, 'method'> {
  const { key, sign, keyId, algorithm, audience }: Partial<PrivateKeyJwt & SignedPrivateKeyJwt> = options
  const settings: AssertionSettings = {
    method: 'private_key_jwt',
    sign: checked(sign, `${option}.sign`, 'function') ?? undefined,
    keyId: text(keyId, `${option}.keyId`, optionRules['client.authentication.keyId'].maxLength),
    algorithm: algorithm ?? undefined,
    audience: text(audience, `${option}.audience`, optionRules['client.authentication.audience'].maxLength),
  }
  if (settings.algorithm !== undefined && !assertionAlgorithms.includes(settings.algorithm)) {
    throw new TypeError(`${option}.algorithm must be one of ${assertionAlgorithms.join(', ')}`)
  }
  if (settings.sign !== undefined) {
    for (const [name, value] of Object.entries({ key, keyId, algorithm })) {
      if (value !== undefined && value !== null)
        throw new TypeError(`${option}.sign excludes ${option}.${name}`)
    }
    return { authentication: settings }
  }
  if (typeof key === 'function') return { authentication: settings, clientSecret: keySource(key) }
  if (key === undefined || key === null) throw new TypeError(`${option} must have key or sign`)
  const problem = assertionKeyProblem(key, settings)
  if (problem !== undefined) throw new TypeError(`${option}.key ${problem}`)
  return { authentication: settings, clientSecret: keyTextOf(key) }
}

function text(value: string | undefined, option: string, maxLength: number): string | undefined {
  const given = checked(value, option, 'string') ?? undefined
  if (given === '') throw new TypeError(`${option} must not be empty`)
  if (given !== undefined && given.length > maxLength)
    throw new TypeError(`${option} must have at most ${maxLength} characters`)
  return given
}

/** One per function, so that a reconfiguration with the same function changes nothing. */
const keySources = new WeakMap<AssertionKeySource, SecretSource>()

/** Makes the result of the function a text. A result that is not a key is refused later. */
function keySource(source: AssertionKeySource): SecretSource {
  const known = keySources.get(source)
  if (known !== undefined) return known
  const asText: SecretSource = async request => {
    const key: unknown = await source(request)
    return keyTextOf(key) ?? (key as string)
  }
  keySources.set(source, asText)
  return asText
}
