import { once } from 'node:events'
import { connect } from 'node:net'

/** The answer to one raw request. */
export interface RawAnswer {
  readonly status: number
  /** By names in lower case; the last line wins. */
  readonly headers: Readonly<Record<string, string>>
}

/** Headers that Node writes itself. */
const ownHeaders = new Set(['date', 'connection', 'keep-alive'])

/** The headers of an answer that another server of Node can repeat. */
export async function headersToRepeat(port: number, rawRequest: string): Promise<Record<string, string>> {
  const { status, headers } = await answerTo(port, rawRequest)
  if (status !== 200) throw new Error(`the first check was answered with ${status}`)
  return Object.fromEntries(Object.entries(headers).filter(([header]) => !ownHeaders.has(header)))
}

/** Sends one raw request over a new connection. */
export async function answerTo(port: number, rawRequest: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  try {
    await once(socket, 'connect')
    socket.write(rawRequest, 'latin1')
    let text = ''
    while (!text.includes('\r\n\r\n')) text += (await once(socket, 'data'))[0]
    const [statusLine = '', ...lines] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n')
    const headers = lines.map(line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    })
    return { status: Number(statusLine.split(' ')[1]), headers: Object.fromEntries(headers) }
  } finally {
    socket.destroy()
  }
}
