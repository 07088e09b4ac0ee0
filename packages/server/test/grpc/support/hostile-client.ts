import { until } from '@broker/testing'
import { expect } from 'vitest'
import { orders } from '../../support/start-broker.ts'
import { checkRequest, decodeAnswer, encodeRequest } from './envoy-client.ts'
import { call, framed, openSession } from './raw-call.ts'
import { callHeaders, type FrameConnection, frame, frameFlag, frameType } from './raw-frames.ts'

/** A check of a client that the broker knows. */
export const goodMessage = framed(encodeRequest(checkRequest({ headers: orders })))
/** A check without a client, which the broker must refuse. */
export const anonymousMessage = framed(encodeRequest(checkRequest({ headers: {} })))

/** The number of the `index`th stream of a client. */
export const streamOf = (index: number): number => 2 * index + 1

/** A whole call that must be refused. */
export const refusedCall = (stream: number): Buffer =>
  Buffer.concat([callHeaders(stream), frame(frameType.data, frameFlag.endStream, stream, anonymousMessage)])

/** Frames one after another. */
export function repeated(count: number, each: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => each(index)))
}

/** Four bytes, as codes of errors and sizes of windows have. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Sends checks of another client while `attack` runs; each must be allowed. */
export async function whileOthersAreServed(port: number, attack: () => Promise<unknown>): Promise<void> {
  await using session = openSession(port)
  let isOver = false
  const attacked = attack().finally(() => {
    isOver = true
  })
  do {
    const { status, body } = await call(session, goodMessage)
    expect(status).toBe('0')
    expect(decodeAnswer(body.subarray(5)).http_response).toBe('ok_response')
  } while (!isOver)
  await attacked
}

/** Checks that a hostile connection received no verdict that allows. */
export function expectNothingAllowed(connection: FrameConnection): void {
  for (const { type, payload } of connection.frames) {
    if (type !== frameType.data || payload.length <= 5) continue
    expect(decodeAnswer(payload.subarray(5)).http_response).toBe('denied_response')
  }
}

/** Waits until the server has read everything before a ping, or has closed the connection. */
export async function allRead(connection: FrameConnection): Promise<void> {
  connection.write(frame(frameType.ping, 0, 0, Buffer.from('all read')))
  await until(
    () =>
      connection.isClosed ||
      connection.frames.some(({ type, flags }) => type === frameType.ping && flags === frameFlag.ack),
    'the end, or the answer to a ping',
  )
}
