import { type DevDex, type DexClient, startDevDex } from '@broker/dev-dex'
import { type RealDexOptions, startRealDex } from '@broker/dev-dex/real-dex'

/** The client that calls in every test. */
export const caller = { id: 'ci-pipeline', secret: 'ci-pipeline-secret+%41/=' }

/** A client whose secret means the same with and without form encoding, for a service that forgets it. */
export const plainCaller = { id: 'plain', secret: 'plain-secret' }

/** A client for which the caller may have tokens. */
export const peer = { id: 'orders', secret: 'orders-secret' }

/** A client that needs form encoding in every way. */
export const unusualCaller = { id: 'b\u00fcro: +%41', secret: 'schl\u00fcssel &=;:/"\u20ac" 100%' }

const clients: readonly DexClient[] = [
  { ...caller, name: 'CI pipeline', groups: ['builders'] },
  { ...plainCaller, name: 'Plain' },
  { ...unusualCaller, name: 'Unusual' },
  { ...peer, trustedPeers: [caller.id] },
]

/** Credential headers of the caller; `openid` has Dex add an ID token. */
export const credentials = {
  'x-client-id': caller.id,
  'x-client-secret': caller.secret,
  'x-scope': 'openid',
} as const

/** A running issuer of tokens: a real Dex when DEX_BIN names one, else the look-alike. */
export interface Dex extends AsyncDisposable {
  readonly issuer: string
  readonly port: number
  readonly tokenEndpoint: string
  readonly jwksUri: string
  /** The look-alike with its switches; tests that need them are skipped on a real Dex. */
  readonly lookAlike: DevDex | undefined
}

/** Why a test is skipped on a real Dex. */
export const needsFaults = 'a real Dex has no switches for faults'

export type DexOptions = Pick<
  RealDexOptions,
  'port' | 'grantTypes' | 'clients' | 'users' | 'passwordConnector' | 'connectors' | 'idTokensMs'
>

export async function startDex(options: DexOptions = {}): Promise<Dex> {
  const binary = process.env['DEX_BIN']
  if (binary) {
    const dex = await startRealDex(binary, { clients, ...options })
    return { ...dex, lookAlike: undefined, [Symbol.asyncDispose]: () => dex.close() }
  }
  const dex = await startDevDex({ clients, ...options })
  const { issuer, tokenEndpoint, jwksUri } = dex
  return {
    issuer,
    port: dex.port,
    tokenEndpoint,
    jwksUri,
    lookAlike: dex,
    [Symbol.asyncDispose]: () => dex.close(),
  }
}
