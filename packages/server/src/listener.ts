import type { AddressInfo } from 'node:net'
import { listenFailure } from './listen-failure.ts'

/** A listener of any protocol, which accepts connections from its start to its stop. */
export interface Listener {
  /** The variable with its address. */
  readonly variable: string
  /** The configured address. */
  readonly address: string
  /** Starts to listen; resolves with every address, at least one. Rejects with the system's error. */
  start(): Promise<readonly AddressInfo[]>
  /** Stops without losing a request, within `timeoutMs`; resolves with whether every running request was finished. */
  stop(timeoutMs: number): Promise<boolean>
}

/** Starts listeners in order. When one fails, those before it are stopped; rejects with a `ConfigError`. */
export async function startListeners(listeners: readonly Listener[]): Promise<(readonly AddressInfo[])[]> {
  const addresses: (readonly AddressInfo[])[] = []
  for (const [index, listener] of listeners.entries()) {
    try {
      addresses.push(await listener.start())
    } catch (error) {
      await stopListeners(listeners.slice(0, index), 0)
      throw listenFailure(listener.variable, listener.address, error)
    }
  }
  return addresses
}

/** Stops listeners together, within the same time; resolves with whether every running request was finished. */
export async function stopListeners(listeners: readonly Listener[], timeoutMs: number): Promise<boolean> {
  const finished = await Promise.all(listeners.map(listener => listener.stop(timeoutMs)))
  return finished.every(Boolean)
}

/** Formats addresses for people. */
export function addressText(addresses: readonly AddressInfo[]): string {
  return addresses
    .map(({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
    .join(', ')
}
