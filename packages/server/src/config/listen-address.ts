import { isIPv4, isIPv6 } from 'node:net'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/** Where a listener binds: without a host on every interface; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host?: string
  readonly port: number
}

/** Reads an address in Go's form: `:8080`, `127.0.0.1:0`, `localhost:8080`, `[::1]:8080`. */
export function parseListenAddress(text: string): ListenAddress {
  if (!text.includes(':')) {
    throw new Refusal(
      /^\d+$/.test(text)
        ? `${quoteValue(text)} has no colon before the port`
        : `${quoteValue(text)} has no port`,
    )
  }
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text) ?? []
  if (bracketed === undefined && plain === '' && !text.startsWith(':')) {
    throw new Refusal(`${quoteValue(text)} is not host:port (an IPv6 address goes in brackets: [::1]:8080)`)
  }
  if (text.startsWith('::')) {
    throw new Refusal(`${quoteValue(text)} is not host:port (an IPv6 address goes in brackets: [::1]:8080)`)
  }
  if (port === '') throw new Refusal(`${quoteValue(text)} has no port`)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Refusal(`${quoteValue(text)} has no port from 0 to 65535`)
  }
  const host = bracketed ?? plain
  if (bracketed === undefined ? !isHostName(plain) : !isIPv6(bracketed)) {
    throw new Refusal(`${quoteValue(text)} has a host that is neither a name nor an IP address`)
  }
  return host === '' ? { port: Number(port) } : { host, port: Number(port) }
}

/** Writes an address so that `parseListenAddress` reads the same one back. */
export function formatListenAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isHostName(host: string): boolean {
  if (host === '') return true
  return /^[\d.]+$/.test(host) ? isIPv4(host) : /^[a-z\d._-]+$/i.test(host)
}
