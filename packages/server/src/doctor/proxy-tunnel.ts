import { type RequestOptions, request } from 'node:http'
import { request as requestByTls, type RequestOptions as TlsRequestOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { DoctorContext } from './doctor-context.ts'

/** Asks a proxy for a connection to `target`, which is `host:port`. Resolves with a code like the server's transport. */
export function openTunnel(
  context: DoctorContext,
  proxy: URL,
  target: string,
): Promise<Socket | { readonly code: string }> {
  const signal = context.deadline()
  const isTls = proxy.protocol === 'https:'
  const host = proxy.hostname.replace(/^\[(.*)\]$/, '$1')
  const credentials = [proxy.username, proxy.password].map(decodeURIComponent).join(':')
  const options: RequestOptions = {
    method: 'CONNECT',
    host,
    port: Number(proxy.port) || (isTls ? 443 : 80),
    path: target,
    headers: {
      host: target,
      ...(proxy.username !== '' && {
        'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
    },
    signal,
    agent: false,
  }
  return new Promise(resolve => {
    const asked = isTls ? requestByTls({ ...options, ...tlsOptions(context) }) : request(options)
    asked.once('connect', ({ statusCode = 0 }, socket: Socket) => {
      if (statusCode === 200) {
        resolve(socket)
        return
      }
      socket.destroy()
      resolve({ code: `PROXY_${statusCode}` })
    })
    // An answer that is not of a proxy.
    asked.once('response', ({ statusCode = 0 }) => {
      asked.destroy()
      resolve({ code: `PROXY_${statusCode}` })
    })
    asked.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: `PROXY_${signal.aborted ? 'ETIMEDOUT' : (error.code ?? 'unknown error')}` }),
    )
    asked.end()
  })
}

/** Node hands the context on, though its types do not have it here. */
function tlsOptions({ trust, config }: DoctorContext): TlsRequestOptions {
  return { secureContext: trust.contextOf(config.ca?.certificates) } as TlsRequestOptions
}
