import { randomBytes } from 'node:crypto'
import { startDevDex } from '@broker/dev-dex'
import { MountedVolume, redisNeed, startRedis, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { leastRights } from './least-rights.ts'
import { type Deployment, type Replica, startReplica } from './two-brokers.ts'

describe(
  'two brokers with a Redis, TLS, a user with the least rights and a password file',
  needs(redisNeed()),
  () => {
    async function startTwo() {
      await using stack = new AsyncDisposableStack()
      const dex = await startDevDex({
        clients: [
          { id: 'reports', secret: 'reports-secret' },
          { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
        ],
      })
      stack.defer(() => dex.close())
      const aclUser = { name: 'broker', password: 'correct-horse', rules: leastRights }
      const redis = stack.use(await startRedis({ tls: true, aclUser }))
      const volume = stack.use(new MountedVolume({ password: 'correct-horse\n' }))
      const deployment: Deployment = {
        issuer: dex.issuer,
        clientSecret: 'reports-secret',
        url: `rediss://127.0.0.1:${redis.port}`,
        passwordFile: volume.file('password'),
        tls: redis.tls ?? {},
        keys: [randomBytes(32).toString('base64')],
        // A busy machine can take longer than the default.
        timeoutMs: 5_000,
      }
      const replicas: readonly [Replica, Replica] = [
        stack.use(await startReplica(deployment)),
        stack.use(await startReplica(deployment)),
      ]
      const parts = stack.move()
      return { dex, redis, replicas, [Symbol.asyncDispose]: () => parts.disposeAsync() }
    }

    test('make one token request, and Redis sees neither token nor client', async () => {
      await using setting = await startTwo()
      const { dex, redis, replicas } = setting
      const tokens = await Promise.all(
        replicas.flatMap(({ broker }) => [broker.getToken(), broker.getToken()]),
      )
      expect(new Set(tokens.map(token => token.headers['authorization'])).size).toBe(1)
      expect(dex.counts.tokenRequests).toBe(1)
      const [key] = (await redis.ask('KEYS', '*:token:*')) as string[]
      const content = JSON.stringify([key, await redis.ask('HGETALL', key ?? '')])
      const token = tokens[0]?.headers['authorization']?.replace('Bearer ', '') ?? ''
      expect(token.length).toBeGreaterThan(100)
      for (const secret of [token, token.split('.')[1] ?? '', 'reports', 'orders'])
        expect(content).not.toContain(secret)
    })

    test('drop a token together when one of them invalidates it', async () => {
      await using setting = await startTwo()
      const { dex, replicas } = setting
      const [one, other] = replicas
      const before = await one.broker.getToken()
      expect((await other.broker.getToken()).headers).toEqual(before.headers)
      one.broker.invalidate(before)
      await until(
        async () =>
          (await other.broker.getToken()).headers['authorization'] !== before.headers['authorization'],
        'another token at the other replica',
      )
      expect((await one.broker.getToken()).headers).toEqual((await other.broker.getToken()).headers)
      expect(dex.counts.tokenRequests).toBe(2)
    })
  },
)
