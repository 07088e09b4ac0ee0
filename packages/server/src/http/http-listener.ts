import type { Server } from 'node:http'
import { AddressListener } from '../address-listener.ts'
import type { ListenAddress } from '../config/values/listen-address.ts'
import type { ListenerTls } from '../tls/listener-tls.ts'
import { GracefulStop } from './graceful-stop.ts'

/** An HTTP server at an address. */
export class HttpListener extends AddressListener {
  /** `createServer` is called once for each address. */
  constructor(
    variable: string,
    createServer: () => Server,
    where: ListenAddress,
    tls?: Pick<ListenerTls, 'endHandshakes'>,
  ) {
    super(variable, () => new GracefulStop(createServer(), tls?.endHandshakes), where)
  }
}
