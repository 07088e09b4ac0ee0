import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '@broker/core/options'

const hostPattern = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i
const forwardingHeader = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-envoy-.*)$/

/**
 * Whether a request comes from somebody on this host, or through `kubectl port-forward`. A page of another site, by DNS rebinding,
 * has another `Host`; a proxy on this host adds one of these headers.
 */
export function isLocalOperator({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  return (
    isLoopbackHost(socket.remoteAddress ?? '') &&
    isLoopbackHost(hostPattern.exec(headers.host ?? '')?.[1] ?? '') &&
    !Object.keys(headers).some(name => forwardingHeader.test(name))
  )
}
