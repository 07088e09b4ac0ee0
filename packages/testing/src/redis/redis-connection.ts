import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TlsIdentity } from '../certificate-authority.ts'

/** An answer of a server: text, number, nothing, or a list of them. */
export type RedisAnswer = string | number | null | readonly RedisAnswer[]

/** Port, certificates and credentials of a server. */
export interface RedisAccess {
  readonly port: number
  readonly tls?: ({ readonly ca: string } & Partial<TlsIdentity>) | undefined
  readonly credentials?: readonly string[] | undefined
}

/** Sends commands on one connection and resolves with the last answer; an error of the server rejects. */
export async function askRedis(
  access: RedisAccess,
  ...commands: readonly (readonly string[])[]
): Promise<RedisAnswer> {
  const { port, tls, credentials } = access
  const socket: Socket = tls ? connectTls({ port, host: '127.0.0.1', ...tls }) : connect(port, '127.0.0.1')
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(5_000) })
    const all = credentials ? [['AUTH', ...credentials], ...commands] : commands
    let answer: RedisAnswer = null
    const read = reader(socket)
    for (const command of all) {
      const parts = command.map(part => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
      socket.write(`*${command.length}\r\n${parts.join('')}`)
      answer = await read()
    }
    return answer
  } finally {
    socket.destroy()
  }
}

function reader(socket: Socket): () => Promise<RedisAnswer> {
  let received = Buffer.alloc(0)
  const chunks = socket.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]()
  async function more(length: number): Promise<void> {
    while (received.length < length) {
      const { done, value } = await chunks.next()
      if (done) throw new Error('the server closed the connection')
      received = Buffer.concat([received, value as Buffer])
    }
  }
  function take(length: number): string {
    const text = received.subarray(0, length).toString('latin1')
    received = received.subarray(length)
    return text
  }
  async function line(): Promise<string> {
    while (!received.includes('\r\n')) await more(received.length + 1)
    return take(received.indexOf('\r\n') + 2).slice(0, -2)
  }
  return async function read(): Promise<RedisAnswer> {
    const head = await line()
    const rest = head.slice(1)
    switch (head[0]) {
      case '+':
        return rest
      case ':':
        return Number(rest)
      case '$': {
        const length = Number(rest)
        if (length < 0) return null
        await more(length + 2)
        return take(length + 2).slice(0, -2)
      }
      case '*': {
        const answers: RedisAnswer[] = []
        for (let count = Number(rest); count > 0; count--) answers.push(await read())
        return answers
      }
      default:
        throw new Error(rest)
    }
  }
}
