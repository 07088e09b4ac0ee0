import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import { jsonAnswer } from './answer.ts'
import type { Fault } from './fault.ts'
import { goJson } from './go-text.ts'
import { writeAnswer, writeHead } from './write-answer.ts'

/** 1 GiB. */
const defaultHugeBytes = 1024 ** 3

const htmlPage = '<!DOCTYPE html>\n<html><body><h1>Internal Server Error</h1></body></html>\n'

/**
 * Lets a response suffer a fault. The true answer is computed only for the faults that need it.
 *
 * The signal ends waiting and streaming; the promise settles when the response is over, except for a
 * hanging one, which does not end by itself.
 */
export async function playFault(
  fault: Fault,
  response: ServerResponse,
  trueAnswer: () => Promise<Answer>,
  signal: AbortSignal,
): Promise<void> {
  switch (fault.kind) {
    case 'slow':
      await delay(fault.delayMs, undefined, { signal })
      return writeAnswer(response, await trueAnswer())
    case 'hang':
      return
    case 'reset':
      return fault.midBody ? cutInBody(response, await trueAnswer()) : resetConnection(response)
    case 'huge':
      return streamHugeBody(response, fault.bytes ?? defaultHugeBytes, fault.declareLength ?? false, signal)
    case 'html':
      return writeAnswer(response, {
        status: fault.status ?? 500,
        headers: { 'Content-Type': 'text/html; charset=utf-8' },
        body: htmlPage,
      })
    case 'redirect':
      return writeAnswer(response, {
        status: fault.status ?? 302,
        headers: { Location: fault.location },
        body: '',
      })
    case 'missing_expires_in':
      return writeAnswer(response, withoutExpiresIn(await trueAnswer()))
    case 'answer':
      return writeAnswer(response, {
        status: fault.status ?? 200,
        headers: fault.headers ?? { 'Content-Type': 'application/json' },
        body: fault.body ?? '',
      })
    case 'rewrite':
      return writeAnswer(response, fault.rewrite(await trueAnswer()))
  }
}

function resetConnection({ socket }: ServerResponse): void {
  // Node refuses to reset a TLS socket, so that one is only dropped.
  if (socket !== null && 'encrypted' in socket) socket.destroy()
  else socket?.resetAndDestroy()
}

async function cutInBody(response: ServerResponse, answer: Answer): Promise<void> {
  const body = Buffer.from(answer.body)
  writeHead(response, answer)
  // A reset could make the client's kernel drop what has arrived, so the half body is flushed and the
  // connection is closed in front of the rest.
  await new Promise<void>(written =>
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () => written()),
  )
  response.socket?.destroy()
}

async function streamHugeBody(
  response: ServerResponse,
  bytes: number,
  declareLength: boolean,
  signal: AbortSignal,
): Promise<void> {
  const head = Buffer.from('{"access_token":"').subarray(0, bytes)
  const tail = Buffer.from('"}').subarray(0, bytes - head.length)
  const filler = Buffer.alloc(64 * 1024, 'a')
  const length = declareLength ? { 'Content-Length': String(bytes) } : {}
  writeHead(response, { status: 200, headers: { ...length, 'Content-Type': 'application/json' } })
  response.write(head)
  let left = bytes - head.length - tail.length
  while (left > 0) {
    const chunk = filler.subarray(0, left)
    left -= chunk.length
    signal.throwIfAborted()
    if (!response.write(chunk)) await once(response, 'drain', { signal })
  }
  response.end(tail)
}

function withoutExpiresIn(answer: Answer): Answer {
  if (answer.status !== 200) return answer
  const { expires_in: _, ...rest } = JSON.parse(answer.body.toString()) as Record<string, unknown>
  return jsonAnswer(200, goJson(rest), { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
}
