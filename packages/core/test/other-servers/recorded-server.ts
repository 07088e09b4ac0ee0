import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An answer of a token endpoint, as the product sends it. */
export interface RecordedAnswer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

export interface RecordedServer extends AsyncDisposable {
  readonly tokenEndpoint: string
  /** The forms of all token requests. */
  readonly forms: readonly URLSearchParams[]
}

/** A token endpoint on 127.0.0.1 that answers as `answerTo` says. */
export async function startRecordedServer(
  answerTo: (form: URLSearchParams) => RecordedAnswer,
): Promise<RecordedServer> {
  const forms: URLSearchParams[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    forms.push(form)
    const { status, body, headers } = answerTo(form)
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    forms,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
