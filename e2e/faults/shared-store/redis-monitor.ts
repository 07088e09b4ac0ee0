import { once } from 'node:events'
import { connect } from 'node:net'

/** Everything that a Redis server is told, as `MONITOR` shows it. */
export interface RedisMonitor extends Disposable {
  /** The commands until now, their arguments as bytes. */
  readonly content: Buffer
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' }

/** Starts to watch a server on 127.0.0.1 whose default user has no password. */
export async function monitorRedis(port: number): Promise<RedisMonitor> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const chunks: string[] = []
  socket.setEncoding('latin1').on('data', (text: string) => chunks.push(text))
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  return {
    get content() {
      const text = chunks.join('').replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex?: string, other = '') => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
        return escapes[other] ?? other
      })
      return Buffer.from(text, 'latin1')
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}
