import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import type { ManagedProcess } from '../managed-process.ts'
import { until } from '../until.ts'
import { askRedis } from './redis-connection.ts'
import { type RedisServer, startRedis, startRedisProcess } from './redis-process.ts'

/** A master and a replica that three Sentinels watch. */
export interface RedisSentinel extends AsyncDisposable {
  /** `redis-sentinel://` with all Sentinels and the master's name. */
  readonly url: string
  /** The master at first, and its replica. */
  readonly master: RedisServer
  readonly replica: RedisServer
  /** The port of the server that the Sentinels hold for the master. */
  masterPort(): Promise<number>
}

export interface RedisSentinelOptions {
  /** Password that the Sentinels require. Default: none. */
  readonly sentinelPassword?: string
}

const downAfterMs = 500

/** Starts the five processes and waits until the Sentinels know each other and the replica. */
export async function startRedisSentinel({
  sentinelPassword,
}: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const master = stack.use(await startRedis({ config: ['repl-diskless-sync-delay 0'] }))
  const replica = stack.use(await startRedis({ config: [`replicaof 127.0.0.1 ${master.port}`] }))
  const credentials = sentinelPassword === undefined ? undefined : [sentinelPassword]

  async function startSentinel(number: number): Promise<{ port: number; process: ManagedProcess }> {
    const port = await freePort()
    const configFile = join(folder, `sentinel-${number}.conf`)
    const lines = [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`,
      `sentinel down-after-milliseconds mymaster ${downAfterMs}`,
      'sentinel failover-timeout mymaster 5000',
      ...(sentinelPassword === undefined
        ? []
        : [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]),
    ]
    await writeFile(configFile, `${lines.join('\n')}\n`)
    return { port, process: stack.use(startRedisProcess('Sentinel', [configFile, '--sentinel'])) }
  }
  const sentinels = [await startSentinel(1), await startSentinel(2), await startSentinel(3)]
  const ask = (port: number, ...command: readonly string[]) => askRedis({ port, credentials }, command)

  for (const { port, process } of sentinels) {
    await process.until('it knew the others and the replica', async () => {
      const answer = await ask(port, 'SENTINEL', 'MASTER', 'mymaster').catch(() => undefined)
      if (!Array.isArray(answer)) return undefined
      const field = (name: string) => Number(answer[answer.indexOf(name) + 1])
      return field('num-other-sentinels') === 2 && field('num-slaves') === 1 ? true : undefined
    })
  }
  // Only a replica that is in sync is promoted.
  await until(
    async () => String(await replica.ask('INFO', 'replication')).includes('master_link_status:up'),
    'a replica in sync',
  )

  const parts = stack.move()
  return {
    url: `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`,
    master,
    replica,
    async masterPort() {
      const answer = await ask(sentinels[0]?.port ?? 0, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')
      return Number(Array.isArray(answer) ? answer[1] : Number.NaN)
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
