import type { BrokerPorts } from '@broker/testing'
import { freePort, ManagedProcess } from '@broker/testing'

/** The Go service that the broker succeeds, named by PEER_BIN. */
export const goServiceBinary: string | undefined = process.env['PEER_BIN'] || undefined

/** Starts it; probe and checks share its one port. */
export async function startGoService(
  binary: string,
  environment: Readonly<Record<string, string>>,
): Promise<BrokerPorts & AsyncDisposable> {
  const port = await freePort()
  const service = new ManagedProcess('the Go service', binary, [], {
    env: { LISTEN_ADDR: `127.0.0.1:${port}`, ALLOW_INSECURE_DEX_URL: 'true', ...environment },
  })
  try {
    await service.until('it answered', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
      await response?.text()
      return response?.ok || undefined
    })
  } catch (error) {
    await service[Symbol.asyncDispose]()
    throw error
  }
  return { port, adminPort: port, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}
