import type { AddressInfo } from 'node:net'
import { listenFailure } from './listen-failure.ts'

/** One way in for requests, from the first connection to the last: whatever the protocol is. */
export interface Listener {
  /** The variable that says where it listens. */
  readonly variable: string
  /** Where that is, as it was configured. */
  readonly address: string
  /** Starts to listen; rejects with the system's error. */
  start(): Promise<AddressInfo>
  /** Stops without a request lost, within `timeoutMs`; resolves with whether everything that ran was finished. */
  stop(timeoutMs: number): Promise<boolean>
}

/** Starts listeners one after the other. When one cannot, those before it are stopped; rejects with a `ConfigError`. */
export async function startListeners(listeners: readonly Listener[]): Promise<AddressInfo[]> {
  const addresses: AddressInfo[] = []
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

/** Stops listeners together, within the same time; resolves with whether everything that ran was finished. */
export async function stopListeners(listeners: readonly Listener[], timeoutMs: number): Promise<boolean> {
  const finished = await Promise.all(listeners.map(listener => listener.stop(timeoutMs)))
  return finished.every(Boolean)
}

/** An address as people write it. */
export function addressText({ address, port }: AddressInfo): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
