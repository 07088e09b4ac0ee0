import { endpointUrl } from '../shared/http/endpoint-url.ts'
import type { IssuerOptions, TokenBrokerOptions } from './broker-options.ts'

/** A Dex that clients name as their `dex`; at least one of the two URLs is known. */
export interface ResolvedDex {
  /** The name in the option `issuers`. */
  readonly name: string
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
}

/** The name of the Dex of the options `issuer` and `tokenEndpoint`. */
export const ownDexName = 'dex'

/** Finds the issuer that a client names as its `dex`; `undefined` for the Dex of the broker. */
export function resolveDex(
  name: string,
  options: TokenBrokerOptions,
  option: string,
): ResolvedDex | undefined {
  const entries: readonly IssuerOptions[] = Array.isArray(options.issuers) ? options.issuers : []
  const entry = entries.find(issuer => issuer?.name === name)
  if (entry === undefined) {
    throw new TypeError(`${option}: ${JSON.stringify(name)} is not the name of an issuer in issuers`)
  }
  if (isOwn(entry, options)) return undefined
  if (name === ownDexName) {
    throw new TypeError(
      `${option}: "${name}" is another Dex than that of issuer and tokenEndpoint: rename it`,
    )
  }
  const { issuer, tokenEndpoint } = entry
  if (issuer === undefined && tokenEndpoint === undefined) {
    throw new TypeError(`${option}: issuers.${name} needs tokenEndpoint or issuer`)
  }
  const { allowInsecureUrls = false } = options
  if (tokenEndpoint === undefined) endpointUrl(issuer, `issuers.${name}.issuer`, allowInsecureUrls)
  else endpointUrl(tokenEndpoint, `issuers.${name}.tokenEndpoint`, allowInsecureUrls)
  return { name, issuer, tokenEndpoint }
}

function isOwn(entry: IssuerOptions, { issuer, tokenEndpoint }: TokenBrokerOptions): boolean {
  if (entry.tokenEndpoint !== undefined) return entry.tokenEndpoint === tokenEndpoint
  return issuer !== undefined && entry.issuer === issuer
}
