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
  const match = /^(?:\[(?<bracketed>[^\]]*)\]|(?<plain>[^:[\]]*)):(?<digits>[^:]*)$/.exec(text)
  if (match === null) throw new Refusal(`${quoteValue(text)} is not host:port${hintFor(text)}`)
  const { bracketed, plain = '', digits = '' } = match.groups ?? {}
  if (digits === '') throw new Refusal(`${quoteValue(text)} has no port`)
  if (!/^\d{1,5}$/.test(digits) || Number(digits) > 65_535) {
    throw new Refusal(`${quoteValue(text)} has no port from 0 to 65535`)
  }
  if (bracketed === undefined ? !isHostName(plain) : !isIPv6(bracketed)) {
    throw new Refusal(`${quoteValue(text)} has a host that is neither a name nor an IP address`)
  }
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === '' ? { port } : { host, port }
}

/** Writes an address so that `parseListenAddress` reads the same one back. */
export function formatListenAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function hintFor(text: string): string {
  if (/^\d+$/.test(text)) return ' (a port alone is written with a colon)'
  return /:.*:/.test(text) ? ' (an IPv6 address goes in brackets)' : ''
}

function isHostName(host: string): boolean {
  if (host === '') return true
  return /^[\d.]+$/.test(host) ? isIPv4(host) : /^[a-z\d._-]+$/i.test(host)
}
