import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redisTokenStore } from '../src/index.ts'
import { storeAddress } from '../src/store-url.ts'

describe('the URL of a store', () => {
  test.each([
    ['redis://store', { topology: 'standalone', tls: false, nodes: [{ host: 'store', port: 6379 }], db: 0 }],
    ['REDIS://store:1/', { topology: 'standalone', tls: false, nodes: [{ host: 'store', port: 1 }], db: 0 }],
    [
      'rediss://[::1]:7000/15',
      { topology: 'standalone', tls: true, nodes: [{ host: '::1', port: 7000 }], db: 15 },
    ],
    [
      'valkey://10.0.0.1',
      { topology: 'standalone', tls: false, nodes: [{ host: '10.0.0.1', port: 6379 }], db: 0 },
    ],
    [
      'valkeys://a.b-c_d:2',
      { topology: 'standalone', tls: true, nodes: [{ host: 'a.b-c_d', port: 2 }], db: 0 },
    ],
    [
      'redis-sentinel://one:1,two/my-master.1',
      {
        topology: 'sentinel',
        tls: false,
        nodes: [
          { host: 'one', port: 1 },
          { host: 'two', port: 26379 },
        ],
        master: 'my-master.1',
        db: 0,
      },
    ],
    [
      'rediss-cluster://one,[fd00::2]:9',
      {
        topology: 'cluster',
        tls: true,
        nodes: [
          { host: 'one', port: 6379 },
          { host: 'fd00::2', port: 9 },
        ],
        db: 0,
      },
    ],
  ])('%s says where the store is', (url, address) => {
    expect(storeAddress(url)).toEqual(address)
  })

  test.each([
    ['store:6379', 'url must be a URL such as redis://127.0.0.1:6379'],
    ['', 'url must be a URL such as redis://127.0.0.1:6379'],
    ['http://store', 'url must start with one of redis, rediss, valkey, valkeys,'],
    ['constructor://store', 'url must start with one of'],
    ['redis://user:secret@store', 'url must not contain credentials; use username and password'],
    ['redis-cluster://a,:secret@b', 'url must not contain credentials; use username and password'],
    ['redis://store/0?password=secret', 'url must not have a query or a fragment'],
    ['redis://store#secret', 'url must not have a query or a fragment'],
    ['redis://one,two', 'url must name one host; redis-cluster takes several'],
    ['redis://', 'url must name each node as host or host:port'],
    ['redis-cluster://one,,two', 'url must name each node as host or host:port'],
    ['redis://one two', 'url must name each node as host or host:port'],
    ['redis://store:0', 'url must have ports from 1 to 65535'],
    ['redis://store:65536', 'url must have ports from 1 to 65535'],
    ['redis://store/two', 'url must end with a database number'],
    ['redis://store/-1', 'url must end with a database number'],
    ['redis://store/1/2', 'url must end with a database number'],
    [
      'redis-sentinel://one',
      'url must end with the name of the master, such as redis-sentinel://host:26379/mymaster',
    ],
    ['rediss-sentinel://one/', 'url must end with the name of the master, such as rediss-sentinel://'],
    ['redis-cluster://one/0', 'url must not have a path: a cluster has only database 0'],
  ])('%j is rejected, and its secret is not quoted', (url, message) => {
    const error = thrownBy(() => storeAddress(url))
    expect(error).toBeInstanceOf(TypeError)
    expect(error?.message).toContain(message)
    expect(error?.message).not.toContain('secret')
  })

  test('keeps every host and port that is written into it', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map(address => `[${address}]`),
    )
    const node = fc.tuple(host, fc.integer({ min: 1, max: 65535 }))
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 5 }), nodes => {
        const { nodes: read } = storeAddress(
          `redis-cluster://${nodes.map(parts => parts.join(':')).join(',')}`,
        )
        expect(read).toEqual(nodes.map(([name, port]) => ({ host: name.replaceAll(/[[\]]/g, ''), port })))
      }),
    )
  })

  test('is an address or a TypeError, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('', 'redis://', 'redis-sentinel://', 'rediss-cluster://'),
        (text, scheme) => {
          const error = thrownBy(() => storeAddress(scheme + text))
          expect(error === undefined || error instanceof TypeError).toBe(true)
        },
      ),
    )
  })
})

describe('the options of a store', () => {
  const url = 'redis://127.0.0.1:1'
  const known = 'url, username, password, sentinel, tls, prefix, connectTimeoutMs, commandTimeoutMs, logger'
  test.each([
    [{ url: undefined as unknown as string }, 'url must be a string'],
    [{ url, host: 'store' } as { url: string }, `host is not an option; known options: ${known}`],
    [{ url, logger: { info() {} } as never }, 'logger must have the method debug'],
    [{ url: 'rediss://a', tls: { ca: Buffer.from('PEM') as never } }, 'tls.ca must be a string'],
    [{ url, username: '' }, 'username must be a string that is not empty'],
    [{ url, password: '' }, 'password must be a string that is not empty, or a function'],
    [{ url, username: 'broker' }, 'password is required with username'],
    [{ url, sentinel: { password: 'secret' } }, 'sentinel must be omitted unless url is one of Sentinels'],
    [{ url, tls: {} }, 'tls must be omitted unless url is one for TLS, such as rediss://'],
    [{ url: 'rediss://a', tls: { cert: 'PEM' } }, 'tls.cert and tls.key belong together'],
    [{ url, prefix: 'a{b}' }, 'prefix must be 1 to 64 letters, digits, ".", "_", "-" and ":"'],
    [{ url, connectTimeoutMs: 0 }, 'connectTimeoutMs must be a whole number above 0'],
    [{ url, commandTimeoutMs: 1.5 }, 'commandTimeoutMs must be a whole number above 0'],
  ])('%j are rejected', (options, message) => {
    expect(thrownBy(() => redisTokenStore(options))).toEqual(new TypeError(message))
  })
})

function thrownBy(run: () => unknown): Error | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return error as Error
  }
}
