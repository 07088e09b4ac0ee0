import { TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import { type RecordingServer, startRecordingServer } from '@broker/testing'
import { expect } from 'vitest'

export interface ExpressSetting extends AsyncDisposable {
  readonly dex: DevDex
  readonly broker: TokenBroker
  /** Where tokens may go. */
  readonly backend: RecordingServer
  /** Another origin, which must get nothing. */
  readonly elsewhere: RecordingServer
  /** A JWT that the gate accepts. */
  jwt(claims?: Record<string, unknown>): string
}

/**
 * A broker with a gate, a client and a token in two headers, and two backends. At the end the broker and Dex are
 * closed, and no rejection may have been left alone.
 */
export async function startSetting(options: Partial<TokenBrokerOptions> = {}): Promise<ExpressSetting> {
  const unhandled: unknown[] = []
  const keep = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', keep)
  process.on('uncaughtExceptionMonitor', keep)
  const dex = await startDevDex({
    algorithm: 'ES256',
    clients: [
      { id: 'portal', secret: 'portal-secret' },
      { id: 'batch', secret: 'batch-secret' },
    ],
  })
  const backend = await startRecordingServer()
  const elsewhere = await startRecordingServer()
  const broker = new TokenBroker({
    tokenEndpoint: dex.tokenEndpoint,
    client: { clientId: 'portal', clientSecret: 'portal-secret' },
    clients: { nightly: { clientId: 'batch', clientSecret: 'batch-secret' } },
    gate: { jwksUri: dex.jwksUri, issuer: dex.issuer, audience: 'orders' },
    tokenHeaders: { access_token: 'x-access-token', id_token: 'x-id-token' },
    ...options,
  })
  return {
    dex,
    broker,
    backend,
    elsewhere,
    jwt: claims =>
      dex.signJwt({ iss: dex.issuer, aud: 'orders', exp: Math.floor(Date.now() / 1000) + 3600, ...claims }),
    async [Symbol.asyncDispose]() {
      await broker.close()
      await dex.close()
      await backend[Symbol.asyncDispose]()
      await elsewhere[Symbol.asyncDispose]()
      await new Promise(resolve => setImmediate(resolve))
      process.off('unhandledRejection', keep)
      process.off('uncaughtExceptionMonitor', keep)
      expect(unhandled).toEqual([])
    },
  }
}
