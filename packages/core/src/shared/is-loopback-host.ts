import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * Tells whether a host, by name or address, is this host: `localhost`, 127.0.0.0/8, `::1`, and IPv4 addresses of it in IPv6. Other
 * names are not looked up. An IPv6 address may be in brackets.
 */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(bare)
  if (family === 0) return /^localhost$/i.test(bare)
  return loopback.check(bare, family === 6 ? 'ipv6' : 'ipv4')
}
