/** Where a store is, as its URL says it. */
export interface StoreAddress {
  /** The kind of deployment behind the URL. */
  readonly topology: 'standalone' | 'sentinel' | 'cluster'
  /** Whether connections use TLS. */
  readonly tls: boolean
  /** One for `standalone`; the Sentinels for `sentinel`; nodes to start from for `cluster`. */
  readonly nodes: readonly StoreNode[]
  /** The name of the master that the Sentinels watch; for `sentinel` only. */
  readonly master?: string
  /** Database number; 0 except for `standalone`. */
  readonly db: number
}

/** A server of the store. */
export interface StoreNode {
  /** A host name or an IP address, IPv6 without brackets. */
  readonly host: string
  /** The TCP port. */
  readonly port: number
}

const schemes: ReadonlyMap<string, Pick<StoreAddress, 'topology' | 'tls'>> = new Map([
  ['redis', { topology: 'standalone', tls: false }],
  ['rediss', { topology: 'standalone', tls: true }],
  ['valkey', { topology: 'standalone', tls: false }],
  ['valkeys', { topology: 'standalone', tls: true }],
  ['redis-sentinel', { topology: 'sentinel', tls: false }],
  ['rediss-sentinel', { topology: 'sentinel', tls: true }],
  ['redis-cluster', { topology: 'cluster', tls: false }],
  ['rediss-cluster', { topology: 'cluster', tls: true }],
])

/** Reads the URL of a store. Its `TypeError`s never quote the URL, which may contain a password by mistake. */
export function storeAddress(url: string): StoreAddress {
  // Not `new URL`: it rejects several hosts with ports.
  const parts = /^([a-z-]+):\/\/([^/?#]*)(?:\/([^?#]*))?([?#].*)?$/i.exec(url)
  if (parts === null) throw new TypeError('url must be a URL such as redis://127.0.0.1:6379')
  const [, scheme = '', authority = '', path = '', rest] = parts
  const kind = schemes.get(scheme.toLowerCase())
  if (kind === undefined) throw new TypeError(`url must start with one of ${[...schemes.keys()].join(', ')}`)
  if (authority.includes('@'))
    throw new TypeError('url must not contain credentials; use username and password')
  if (rest !== undefined) throw new TypeError('url must not have a query or a fragment')
  const nodes = authority.split(',').map(node => storeNode(node, kind.topology))
  switch (kind.topology) {
    case 'standalone':
      if (nodes.length > 1) throw new TypeError(`url must name one host; ${scheme}-cluster takes several`)
      return { ...kind, nodes, db: databaseNumber(path) }
    case 'sentinel':
      if (!/^[\w.-]+$/.test(path))
        throw new TypeError(
          `url must end with the name of the master, such as ${scheme}://host:26379/mymaster`,
        )
      return { ...kind, nodes, master: path, db: 0 }
    case 'cluster':
      if (path !== '') throw new TypeError('url must not have a path: a cluster has only database 0')
      return { ...kind, nodes, db: 0 }
  }
}

function storeNode(text: string, topology: StoreAddress['topology']): StoreNode {
  const parts = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text)
  if (parts?.[1] === undefined) throw new TypeError('url must name each node as host or host:port')
  const port = Number(parts[2] ?? (topology === 'sentinel' ? 26379 : 6379))
  if (port < 1 || port > 65535) throw new TypeError('url must have ports from 1 to 65535')
  return { host: parts[1].replace(/^\[(.*)\]$/, '$1'), port }
}

function databaseNumber(path: string): number {
  if (path === '') return 0
  if (!/^\d{1,5}$/.test(path))
    throw new TypeError('url must end with a database number, such as /0, or nothing')
  return Number(path)
}
