import { once } from 'node:events'
import { connect } from 'node:http2'
import { buffer } from 'node:stream/consumers'

/** The call that Envoy makes. */
export const checkPath = '/envoy.service.auth.v3.Authorization/Check'
/** A flag and the length of the message. */
export const framePrefixBytes = 5

/** The message as it goes into DATA frames. */
export function grpcFrame(content: Uint8Array): Buffer {
  const prefix = Buffer.alloc(framePrefixBytes)
  prefix.writeUInt32BE(content.length, 1)
  return Buffer.concat([prefix, content])
}

/** The answer to one check; throws unless it lets the request pass with a token. */
export async function grpcAnswerTo(port: number, request: Uint8Array): Promise<Buffer> {
  const client = connect(`http://127.0.0.1:${port}`)
  try {
    const stream = client.request({
      ':method': 'POST',
      ':path': checkPath,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.end(grpcFrame(request))
    const trailers = once(stream, 'trailers')
    const answer = (await buffer(stream)).subarray(framePrefixBytes)
    const [{ 'grpc-status': status }] = await trailers
    if (status !== '0' || !answer.includes('Bearer ')) {
      throw new Error(`the first check was answered with grpc-status ${status}: ${answer.toString('latin1')}`)
    }
    return answer
  } finally {
    client.destroy()
  }
}
