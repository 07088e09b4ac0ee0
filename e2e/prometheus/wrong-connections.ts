import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { request } from 'node:https'
import { connect } from 'node:net'
import type { MonitoredSystem } from './monitored-system.ts'

/** Connects to the check listener without TLS, as an Envoy without `transport_socket` does. */
export async function askWithoutTls({ broker }: MonitoredSystem): Promise<void> {
  const socket = connect(broker.port, '127.0.0.1')
  // The broker resets the connection.
  socket.on('error', () => {})
  socket.resume().write('GET /check HTTP/1.1\r\nhost: broker\r\n\r\n')
  await once(socket, 'close')
}

/** Asks outside /check, as an Envoy without `path_prefix` does; resolves with the status. */
export async function askOutsideCheck({ broker, tls }: MonitoredSystem): Promise<number | undefined> {
  const { ca, cert, key } = tls
  const outgoing = request({
    ...{ host: '127.0.0.1', port: broker.port, path: '/orders' },
    ...{ ca, cert, key, servername: 'dex-token-broker.my-app.svc', agent: false },
  }).end()
  const [answer] = await once(outgoing, 'response')
  answer.resume()
  return answer.statusCode
}

/** Calls a service that the gRPC listener does not have. */
export async function callUnknownService({ broker, tls }: MonitoredSystem): Promise<void> {
  const { ca, cert, key } = tls
  const session = connectHttp2(`https://127.0.0.1:${broker.grpcPort}`, {
    ...{ ca, cert, key, servername: 'dex-token-broker.my-app.svc' },
  })
  try {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/orders.Orders/List',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      te: 'trailers',
    })
    stream.resume().end()
    await once(stream, 'close')
  } finally {
    session.close()
  }
}
