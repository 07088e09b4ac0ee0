import type { IncomingMessage } from 'node:http'

const loopbackPeer = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const forwardingHeader = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-envoy-.*)$/

/**
 * Whether a request comes from somebody on this host, or through `kubectl port-forward`. A page of another site, by DNS rebinding,
 * has another `Host`; a proxy on this host adds one of these headers.
 */
export function isLocalOperator({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  return (
    loopbackPeer.test(socket.remoteAddress ?? '') &&
    loopbackHost.test(headers.host ?? '') &&
    !Object.keys(headers).some(name => forwardingHeader.test(name))
  )
}
