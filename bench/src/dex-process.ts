import { fileURLToPath } from 'node:url'
import type { SigningAlgorithm } from '@broker/dev-dex'
import { ManagedProcess } from '@broker/testing'

/** Where Dex's stand-in is reached. */
export interface DexDescription {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
}

export type DexQuestion =
  | { readonly ask: 'description' | 'token-requests' | 'rotate-keys' | 'jwt' }
  | { readonly ask: 'jwt-checks'; readonly count: number; readonly file: string }

/** Dex's stand-in in a separate process. */
export interface DexProcess extends DexDescription, AsyncDisposable {
  /** Token requests since it started. */
  tokenRequests(): Promise<number>
  /** Signs with a new key from now on. Its first key stays published, any other old one is withdrawn. */
  rotateKeys(): Promise<void>
  /** A caller's JWT. */
  jwt(): Promise<string>
  /** Writes checks with as many different JWTs into a file, NUL between them. */
  writeJwtChecks(file: string, count: number): Promise<void>
}

/** How many clients Dex knows, unless a start says otherwise: `client-0` and so on. */
export const dexClientCount = 1_000

/** Starts it. Its tokens are signed with `algorithm`; default RS256, as with Dex. */
export async function startDex(
  algorithm: SigningAlgorithm = 'RS256',
  clientCount: number = dexClientCount,
): Promise<DexProcess> {
  const script = fileURLToPath(new URL('dex-child.ts', import.meta.url))
  const child = new ManagedProcess(
    "Dex's stand-in",
    process.execPath,
    [script, String(clientCount), algorithm],
    {
      ipc: true,
    },
  )
  const ask = <Answer>(question: DexQuestion) => child.ask<Answer>(question)
  const description = await ask<DexDescription>({ ask: 'description' })
  return {
    ...description,
    tokenRequests: () => ask<number>({ ask: 'token-requests' }),
    rotateKeys: async () => void (await ask({ ask: 'rotate-keys' })),
    jwt: () => ask<string>({ ask: 'jwt' }),
    writeJwtChecks: async (file, count) => void (await ask({ ask: 'jwt-checks', file, count })),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

/** The credentials of one of Dex's clients, as headers. */
export function credentialHeaders(index: number): Record<string, string> {
  return {
    'x-client-id': `client-${index}`,
    'x-client-secret': clientSecret(index),
    'x-scope': 'openid groups',
  }
}

export function clientSecret(index: number): string {
  return `secret-of-client-${index}-3f9c1d5a7b2e`
}
