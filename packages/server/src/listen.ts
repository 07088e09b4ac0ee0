import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ListenAddress } from './config/listen-address.ts'

/** Starts to listen and tells where; rejects with the system's error. Without a host: every address, IPv6 included. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

/** An address as people write it. */
export function addressText({ address, port }: AddressInfo): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
