import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { codings, contentTypes, headers as headersColumn, statusesWithoutBody } from './answer-columns.ts'
import { type Combination, wireOf } from './answer-combinations.ts'

/** A place on the server that gives one answer again and again. */
export interface OddEndpoint {
  readonly url: string
  /** How often it was asked. */
  readonly requests: number
  /** What it gives from now on; `token`: a good one. */
  answer: Combination | 'token'
}

/** A loopback server with an endpoint for whoever asks for one. */
export interface OddGateway extends AsyncDisposable {
  /** `now`: the wall clock of whoever asks there. */
  endpoint(now: () => number): OddEndpoint
}

export async function startOddGateway(): Promise<OddGateway> {
  const endpoints: { answer: Combination | 'token'; requests: number; url: string; now: () => number }[] = []
  const server = createServer((request, response) => {
    const endpoint = endpoints[Number(request.url?.slice(1))]
    request.resume().on('end', () => {
      if (endpoint === undefined) return response.writeHead(418).end()
      endpoint.requests++
      return give(response, endpoint.answer === 'token' ? goodToken : endpoint.answer, endpoint.now())
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint(now) {
      const endpoint = {
        url: `http://127.0.0.1:${port}/${endpoints.length}`,
        answer: 'token' as const,
        requests: 0,
        now,
      }
      endpoints.push(endpoint)
      return endpoint
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const goodToken: Combination = {
  status: 200,
  body: 'a token',
  coding: 'none',
  contentType: 'json',
  headers: 'none',
  whose: 'all configured',
  transport: 'undici',
}

function give(response: ServerResponse, combination: Combination, nowMs: number): void {
  const { status, contentType, headers: headersName } = combination
  const column = headersColumn[headersName]
  const framing = 'framing' in column ? column.framing : 'its length'
  const wire = wireOf(combination)
  const lines: string[] = column.lines(nowMs).flat()
  for (const type of contentTypes[contentType] ?? []) lines.push('Content-Type', type)
  const coding = codings[combination.coding].header
  if (coding !== undefined) lines.push('Content-Encoding', coding)
  response.sendDate = false
  if (statusesWithoutBody.has(status) || framing === 'chunks') {
    response.writeHead(status, lines).end(wire)
  } else if (framing === 'its length') {
    response.writeHead(status, [...lines, 'Content-Length', String(wire.length)]).end(wire)
  } else {
    // Past Node's server, which would not let an answer go out like that.
    if (framing === 'a length that is not reached') lines.push('Content-Length', String(wire.length + 10))
    lines.push('Connection', 'close')
    let head = `HTTP/1.1 ${status} Odd\r\n`
    for (let index = 0; index < lines.length; index += 2) head += `${lines[index]}: ${lines[index + 1]}\r\n`
    response.socket?.end(Buffer.concat([Buffer.from(`${head}\r\n`), wire]))
  }
}
