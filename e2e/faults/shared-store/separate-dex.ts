import { fileURLToPath } from 'node:url'
import type { DevDexOptions, RequestCounts } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { ManagedProcess } from '@broker/testing'

const script = fileURLToPath(new URL('dex-child.ts', import.meta.url))

/** A Dex that does not share a process with the load. */
export interface SeparateDex extends AsyncDisposable {
  readonly tokenEndpoint: string
  /** The token requests that have arrived; `undefined` from a real Dex. */
  tokenRequests(): Promise<number | undefined>
}

type Options = Required<Pick<DevDexOptions, 'clients' | 'idTokensMs'>>

/** Starts a real Dex where DEX_BIN names one, else a look-alike. */
export async function startSeparateDex(options: Options): Promise<SeparateDex> {
  const binary = process.env['DEX_BIN']
  if (binary) return { ...(await startRealDex(binary, options)), tokenRequests: async () => undefined }
  const argument = JSON.stringify({ ...options, algorithm: 'ES256' })
  const child = new ManagedProcess('Dex', process.execPath, [script, argument], { ipc: true })
  const ask = () => child.ask<{ readonly tokenEndpoint: string; readonly counts: RequestCounts }>({})
  const { tokenEndpoint } = await ask()
  return {
    tokenEndpoint,
    tokenRequests: async () => (await ask()).counts.tokenRequests,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
