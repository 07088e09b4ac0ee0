import { type DexClient, startDevDex, startRealDex } from '@broker/dev-dex'
import { QuickstartFailure } from './quickstart-failure.ts'

/** The client that calls in every step. */
export const caller = { id: 'ci-pipeline', secret: 'ci-pipeline-secret' }
/** A service that lets the caller have tokens for it. */
export const peer = { id: 'opendepot', secret: 'opendepot-secret' }

const clients: readonly DexClient[] = [
  { ...caller, name: 'CI pipeline', groups: ['builders'] },
  { ...peer, trustedPeers: [caller.id] },
]

/** A running issuer of tokens. */
export interface Dex {
  /** What it is, for people. */
  readonly name: string
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  /** How many token requests have arrived; a real Dex does not tell. */
  readonly tokenRequests: (() => number) | undefined
  close(): Promise<void>
}

/** Starts the Dex binary, or the look-alike when there is none. */
export function startDex(port: number, binary: string | undefined): Promise<Dex> {
  return binary ? startBinary(port, binary) : startLookAlike(port)
}

async function startLookAlike(port: number): Promise<Dex> {
  const dex = await startDevDex({ port, clients })
  return {
    name: 'a look-alike of Dex (DEX_BIN runs a real one)',
    issuer: dex.issuer,
    tokenEndpoint: dex.tokenEndpoint,
    jwksUri: dex.jwksUri,
    tokenRequests: () => dex.counts.tokenRequests,
    close: () => dex.close(),
  }
}

async function startBinary(port: number, binary: string): Promise<Dex> {
  try {
    const dex = await startRealDex(binary, { port, clients })
    return {
      name: `the Dex of DEX_BIN, ${binary}`,
      issuer: dex.issuer,
      tokenEndpoint: dex.tokenEndpoint,
      jwksUri: dex.jwksUri,
      tokenRequests: undefined,
      close: () => dex.close(),
    }
  } catch (error) {
    throw new QuickstartFailure(`DEX_BIN=${binary} did not start: ${(error as Error).message.trimEnd()}`)
  }
}
