import type { IssuerOptions, Transport } from '@broker/core'
import { discoveryUrlOf } from '@broker/core/diagnosis'
import type { DoctorContext } from './doctor-context.ts'

/** A server that the broker sends requests to, and the options that name it. */
export interface Upstream {
  /** The title of its group. */
  readonly title: string
  /** The path of its options in core, up to the last name: empty, `gate.` or `issuers.staff.`. */
  readonly optionPrefix: string
  /** The issuer, compared exactly; `undefined` when any issuer is accepted. */
  readonly issuer: string | undefined
  /** `undefined` when nothing is discovered. */
  readonly discoveryUrl: string | undefined
  /** Overrides discovery. */
  readonly tokenEndpoint: string | undefined
  /** Overrides discovery. */
  readonly jwksUri: string | undefined
  /** The algorithms of callers' JWTs that it signs; `undefined` for the default. */
  readonly algorithms: readonly string[] | undefined
  /** Whether clients get tokens from it. */
  readonly issuesTokens: boolean
  readonly transport: Transport
  /** PEM of the certificates that are trusted in addition; `own` when its transport alone knows them. */
  readonly trusted: string | undefined | 'own'
  /** Where these certificates are set. */
  readonly trustSetting: string
}

/** The servers of a configuration: Dex first, then the issuers of callers' JWTs. */
export function upstreamsOf({ config, transports }: DoctorContext): readonly Upstream[] {
  const { issuer, tokenEndpoint, jwksUri, gate, clients = {} } = config.broker
  const usual = {
    transport: transports.transport,
    trusted: config.ca?.certificates,
    trustSetting: 'DEX_CA_FILE',
  }
  const dex: Upstream = {
    ...usual,
    title: 'Dex',
    optionPrefix: '',
    issuer,
    discoveryUrl: issuer === undefined ? undefined : discoveryUrlOf(issuer),
    tokenEndpoint,
    jwksUri,
    algorithms:
      gate?.jwksUri === undefined
        ? (gate?.algorithms ?? config.broker.issuers?.find(each => each.issuer === issuer)?.algorithms)
        : undefined,
    issuesTokens: true,
  }
  const ofGate: Upstream[] =
    gate?.jwksUri === undefined
      ? []
      : [
          {
            ...usual,
            title: 'Key set of the gate',
            optionPrefix: 'gate.',
            issuer: undefined,
            discoveryUrl: undefined,
            tokenEndpoint: undefined,
            jwksUri: gate.jwksUri,
            algorithms: gate.algorithms,
            issuesTokens: false,
          },
        ]
  const named = new Set(Object.values(clients).map(client => client.dex))
  const issuers = (transports.issuers ?? [])
    .filter(each => !isSameAs(dex, each))
    .map(each => ({
      ...usual,
      ...ofIssuer(each, config.file?.issuerCertificates),
      issuesTokens: named.has(each.name),
    }))
  return [dex, ...ofGate, ...issuers]
}

function ofIssuer(
  { name, issuer, discoveryUrl, tokenEndpoint, jwksUri, algorithms, transport }: IssuerOptions,
  certificates: Readonly<Record<string, { readonly certificates: string }>> = {},
): Omit<Upstream, 'issuesTokens' | 'transport' | 'trusted' | 'trustSetting'> &
  Partial<Pick<Upstream, 'transport' | 'trusted' | 'trustSetting'>> {
  const ownUrl = issuer === undefined ? undefined : discoveryUrlOf(issuer)
  const found = discoveryUrl ?? (ownUrl !== undefined && URL.canParse(ownUrl) ? ownUrl : undefined)
  return {
    title: `Issuer ${name}`,
    optionPrefix: `issuers.${name}.`,
    issuer,
    // A document that nothing is needed of is not fetched by the broker either.
    discoveryUrl:
      jwksUri !== undefined && issuer !== undefined && discoveryUrl === undefined ? undefined : found,
    tokenEndpoint,
    jwksUri,
    algorithms,
    ...(transport !== undefined && {
      transport,
      trusted: certificates[name]?.certificates ?? 'own',
      trustSetting: `caFile of the issuer ${name}`,
    }),
  }
}

function isSameAs(
  dex: Upstream,
  { issuer, discoveryUrl, jwksUri, tokenEndpoint, transport }: IssuerOptions,
): boolean {
  const isOwn = [discoveryUrl, jwksUri, tokenEndpoint, transport].some(part => part !== undefined)
  return issuer !== undefined && issuer === dex.issuer && !isOwn
}
