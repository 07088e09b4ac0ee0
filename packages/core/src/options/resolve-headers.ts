import type { CredentialHeaderNames } from '../check/credential-headers.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import { optionRules, type TokenBrokerOptions } from './broker-options.ts'
import type { CredentialHeaderOptions } from './credential-header-options.ts'
import type { ReservedHeaderPrefixes } from './header-name.ts'
import {
  assertKnownNames,
  assertPlainObject,
  checked,
  headerName,
  oneOrMore,
  strings,
} from './option-values.ts'

const credentialHeaderNames: { readonly [Name in keyof Required<CredentialHeaderOptions>]: true } = {
  clientId: true,
  clientSecret: true,
  scope: true,
  basic: true,
  allowJoined: true,
  strip: true,
}

/** Validates the names of the headers from which a check reads credentials. */
export function resolveCredentialHeaders(
  { credentialHeaders = {}, gate }: TokenBrokerOptions,
  reservedPrefixes: ReservedHeaderPrefixes,
  hasGate: boolean,
): CredentialHeaderNames {
  assertKnownNames(credentialHeaders, Object.keys(credentialHeaderNames), 'credentialHeaders.')
  const nameOf = (part: 'clientId' | 'clientSecret' | 'scope') => {
    const option = `credentialHeaders.${part}` as const
    return headerName(credentialHeaders[part] ?? optionRules[option].default, option, reservedPrefixes)
  }
  const names = {
    clientId: nameOf('clientId'),
    clientSecret: nameOf('clientSecret'),
    scope: nameOf('scope'),
    jwt: headerName(
      gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default,
      'gate.jwtHeader',
      reservedPrefixes,
    ),
    allowJoined:
      checked(credentialHeaders.allowJoined, 'credentialHeaders.allowJoined', 'boolean') ??
      optionRules['credentialHeaders.allowJoined'].default,
  }
  const basic =
    checked(credentialHeaders.basic, 'credentialHeaders.basic', 'boolean') ??
    optionRules['credentialHeaders.basic'].default
  if (!basic) return { ...names, basic: undefined }
  for (const part of ['clientId', 'clientSecret', 'scope'] as const) {
    if (names[part] === 'authorization')
      throw new TypeError(`credentialHeaders.basic excludes authorization as credentialHeaders.${part}`)
  }
  if (hasGate && names.jwt === 'authorization') {
    throw new TypeError(
      'credentialHeaders.basic needs another gate.jwtHeader: authorization cannot carry a JWT and Basic credentials',
    )
  }
  return { ...names, basic: 'authorization' }
}

/** Validates the option `tokenHeaders`. */
export function resolveTokenHeaders(
  tokenHeaders: Readonly<Record<string, string | readonly string[]>>,
  authorizationHeader: string,
  reservedPrefixes: ReservedHeaderPrefixes,
): TokenHeader[] {
  assertPlainObject(tokenHeaders, 'tokenHeaders')
  const mapping: TokenHeader[] = []
  const taken = new Set([authorizationHeader])
  for (const [field, headers] of Object.entries(tokenHeaders)) {
    for (const name of strings(oneOrMore(headers), `tokenHeaders.${field}`)) {
      const header = headerName(name, `tokenHeaders.${field}`, reservedPrefixes)
      if (taken.has(header))
        throw new TypeError(`tokenHeaders.${field}: ${header} is already set by the broker`)
      taken.add(header)
      mapping.push({ field, header })
    }
  }
  return mapping
}
