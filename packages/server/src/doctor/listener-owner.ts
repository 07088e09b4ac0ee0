import { request } from 'node:http'
import { connect } from 'node:http2'
import type { ListenAddress } from '../config/values/listen-address.ts'
import { probeHeaders } from '../http/raw-target.ts'

export type ListenerKind = 'check' | 'admin' | 'grpc'

const anyAddresses: ReadonlySet<string | undefined> = new Set([undefined, '0.0.0.0', '::'])
/** Requests that only a broker answers in this way. None of them is a check, which would be counted and logged. */
const probes = {
  check: {
    path: '/healthz',
    isBroker: ({ server }: ProbeAnswer) => server === probeHeaders.server,
  },
  admin: { path: '/metrics', isBroker: (answer: ProbeAnswer) => /^dex_token_broker_/m.test(answer.body) },
} as const

interface ProbeAnswer {
  readonly status: number
  readonly server: unknown
  readonly body: string
}

/** Tells who answers at an address that is in use: `broker`, or a description of what is there. */
export async function listenerOwner(
  kind: ListenerKind,
  { host, port }: ListenAddress,
  signal: AbortSignal,
): Promise<string> {
  const where = { host: anyAddresses.has(host) ? '127.0.0.1' : (host ?? ''), port, signal }
  if (kind === 'grpc')
    return (await hasHealthService(where)) ? 'broker' : 'something without the health service of the broker'
  const { path, isBroker } = probes[kind]
  const answer = await probe({ ...where, path })
  if (answer === undefined) return 'something that does not speak HTTP'
  return isBroker(answer) ? 'broker' : `something that answers ${path} with status ${answer.status}`
}

interface Where {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
}

/** Enough of the metrics; the rest is not read. */
const maxBody = 1_048_576

function probe(where: Where & { readonly path: string }): Promise<ProbeAnswer | undefined> {
  return new Promise(resolve => {
    const outgoing = request({ ...where, agent: false }, incoming => {
      const chunks: Buffer[] = []
      let length = 0
      const finish = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          server: incoming.headers.server,
          body: Buffer.concat(chunks).toString('utf8'),
        })
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > maxBody) incoming.destroy()
      })
      incoming.once('close', finish)
      incoming.once('error', finish)
    })
    outgoing.once('error', () => resolve(undefined))
    outgoing.end()
  })
}

/** Any status of the service that Envoy's checks use shows that a broker is there. */
function hasHealthService({ host, port, signal }: Where): Promise<boolean> {
  const service = Buffer.from('envoy.service.auth.v3.Authorization')
  const message = Buffer.concat([Buffer.from([0x0a, service.length]), service])
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message])
  return new Promise(resolve => {
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    const end = (isBroker: boolean) => {
      resolve(isBroker)
      session.destroy()
    }
    session.once('error', () => end(false))
    signal.addEventListener('abort', () => end(false), { once: true })
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.once('error', () => end(false))
    stream.once('trailers', trailers => end(trailers['grpc-status'] === '0'))
    stream.once('close', () => end(false))
    stream.resume()
    stream.end(frame)
  })
}
