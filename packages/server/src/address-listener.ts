import { lookup } from 'node:dns/promises'
import { type AddressInfo, isIP, type Server } from 'node:net'
import { formatListenAddress, type ListenAddress } from './config/values/listen-address.ts'
import type { Listener } from './listener.ts'

/** A server that does not listen yet, and the way to stop it. */
export interface StoppableServer {
  readonly server: Server
  /** Stops without losing a request, within `timeoutMs`; resolves with whether every running request was finished. */
  stop(timeoutMs: number): Promise<boolean>
}

/**
 * A server at an address. A host name stands for every address that it resolves to: `localhost` is 127.0.0.1 and
 * ::1. Without a host, it listens on every interface, IPv6 included.
 */
export class AddressListener implements Listener {
  readonly variable: string
  readonly address: string
  readonly #createServer: () => StoppableServer
  readonly #where: ListenAddress
  readonly #started: StoppableServer[] = []

  /** `createServer` is called once for each address. */
  constructor(variable: string, createServer: () => StoppableServer, where: ListenAddress) {
    this.variable = variable
    this.address = formatListenAddress(where)
    this.#createServer = createServer
    this.#where = where
  }

  async start(): Promise<readonly AddressInfo[]> {
    const { host, port } = this.#where
    const hosts = host === undefined || isIP(host) !== 0 ? [host] : await addressesOf(host)
    const addresses: AddressInfo[] = []
    const failures: unknown[] = []
    for (const each of hosts) {
      try {
        // With port 0, the system chooses a port for the first address, and the others use the same.
        addresses.push(await this.#listen(each, addresses[0]?.port ?? port))
      } catch (error) {
        if (!isMissingAddress(error)) {
          await this.stop(0)
          throw error
        }
        failures.push(error)
      }
    }
    if (addresses.length === 0) throw failures[0]
    return addresses
  }

  async stop(timeoutMs: number): Promise<boolean> {
    const stops = this.#started.map(started => started.stop(timeoutMs))
    return (await Promise.all(stops)).every(Boolean)
  }

  #listen(host: string | undefined, port: number): Promise<AddressInfo> {
    const stoppable = this.#createServer()
    const { server } = stoppable
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', reject)
        this.#started.push(stoppable)
        resolve(server.address() as AddressInfo)
      })
    })
  }
}

async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true })
  return [...new Set(found.map(({ address }) => address))]
}

/** In /etc/hosts, `localhost` is often ::1 as well, even on machines without IPv6. */
function isMissingAddress(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
}
