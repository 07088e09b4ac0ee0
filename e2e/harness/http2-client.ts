import { once } from 'node:events'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { text } from 'node:stream/consumers'

/**
 * Sends requests by HTTP/2, all at the same time on one connection, and returns the status of each. A character of a value is one byte
 * on the wire.
 */
export async function http2Statuses(
  port: number,
  requests: readonly OutgoingHttpHeaders[],
  body = '',
): Promise<number[]> {
  const client = connect(`http://127.0.0.1:${port}`)
  try {
    return await Promise.all(
      requests.map(async headers => {
        const stream = client.request(
          { ':authority': 'orders.example.com', ...headers },
          { endStream: false },
        )
        stream.end(body)
        const [answered] = await once(stream, 'response')
        await text(stream)
        return answered[':status'] as number
      }),
    )
  } finally {
    client.close()
  }
}
