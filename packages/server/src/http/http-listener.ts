import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatListenAddress, type ListenAddress } from '../config/values/listen-address.ts'
import type { Listener } from '../listener.ts'
import { GracefulStop } from './graceful-stop.ts'

/** An HTTP server at an address. */
export class HttpListener implements Listener {
  readonly variable: string
  readonly address: string
  readonly #server: Server
  readonly #where: ListenAddress
  readonly #gracefulStop: GracefulStop

  constructor(variable: string, server: Server, where: ListenAddress) {
    this.variable = variable
    this.address = formatListenAddress(where)
    this.#server = server
    this.#where = where
    this.#gracefulStop = new GracefulStop(server)
  }

  /** Without a host: every address, IPv6 included. */
  start(): Promise<AddressInfo> {
    const server = this.#server
    const { host, port } = this.#where
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', reject)
        resolve(server.address() as AddressInfo)
      })
    })
  }

  stop(timeoutMs: number): Promise<boolean> {
    return this.#gracefulStop.stop(timeoutMs)
  }
}
