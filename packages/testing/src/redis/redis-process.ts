import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type TlsIdentity,
} from '../certificate-authority.ts'
import { freePort } from '../free-port.ts'
import { ManagedProcess } from '../managed-process.ts'
import { findRedis } from './redis-binary.ts'
import { askRedis, type RedisAccess, type RedisAnswer } from './redis-connection.ts'

export interface RedisOptions {
  /** Speaks TLS only, with a certificate for 127.0.0.1 and localhost, and wants a client certificate of the same CA. */
  readonly tls?: boolean
  /** The only user; `default` is off. Its rights are an ACL rule such as `~* +@all`. */
  readonly aclUser?: { readonly name: string; readonly password: string; readonly rules: string }
  /** Password of the user `default`. */
  readonly password?: string
  /** Lines of the configuration file. */
  readonly config?: readonly string[]
  /** Default: a free one. */
  readonly port?: number
}

/** A Redis or Valkey server on 127.0.0.1 that keeps nothing on disk. Ends with the test. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number
  /** CA of the server, and a client certificate of it; with `tls` only. */
  readonly tls: ({ readonly ca: string } & TlsIdentity) | undefined
  /** Runs a command as an administrator. */
  ask(...command: readonly string[]): Promise<RedisAnswer>
  /** Stops it with SIGSTOP: connections stay open, and nothing answers. */
  pause(): void
  /** Continues it after `pause`. */
  resume(): void
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty, after `kill`. */
  restart(): Promise<void>
}

const administrator = ['administrator', 'administrator'] as const

/** Starts a server and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = options.port ?? (await freePort())
  const ca = options.tls ? createCertificateAuthority('Redis test CA') : undefined
  const tls = ca && { ca: ca.cert, ...ca.issue('client') }
  const configFile = join(folder, 'redis.conf')
  await writeFile(configFile, await configuration(folder, port, ca, options))
  const access: RedisAccess = { port, tls, credentials: administrator }
  const ask = (...command: readonly string[]) => askRedis(access, command)

  async function start(): Promise<ManagedProcess> {
    const server = startRedisProcess('Redis', [configFile])
    try {
      await server.until('it answered', async () =>
        (await ask('PING').catch(() => undefined)) === 'PONG' ? true : undefined,
      )
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  let server = await start()
  return {
    port,
    tls,
    ask,
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    async kill() {
      server.signal('SIGKILL')
      await server.ended()
    },
    async restart() {
      server = await start()
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts the server's binary. A stopped process does not see SIGTERM, and none has anything to save: ends by SIGKILL. */
export function startRedisProcess(name: string, args: readonly string[]): ManagedProcess {
  const binary = findRedis()
  if (binary === undefined) throw new Error('no redis-server: set REDIS_SERVER_BIN')
  return new ManagedProcess(name, binary, args, { patienceMs: 0 })
}

async function configuration(
  folder: string,
  port: number,
  ca: CertificateAuthority | undefined,
  { aclUser, password, config = [] }: RedisOptions,
): Promise<string> {
  async function write(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const [name, adminPassword] = administrator
  const identity = ca?.issue('127.0.0.1', 'localhost')
  const listen =
    ca && identity
      ? [
          'port 0',
          `tls-port ${port}`,
          `tls-ca-cert-file ${await write('ca.crt', ca.cert)}`,
          `tls-cert-file ${await write('server.crt', identity.cert)}`,
          `tls-key-file ${await write('server.key', identity.key)}`,
        ]
      : [`port ${port}`]
  const defaultUser = aclUser
    ? 'off'
    : `on ${password === undefined ? 'nopass' : `">${password}"`} ~* &* +@all`
  return [
    'bind 127.0.0.1',
    ...listen,
    `dir ${folder}`,
    'save ""',
    'appendonly no',
    `user ${name} on >${adminPassword} ~* &* +@all`,
    `user default ${defaultUser}`,
    ...(aclUser ? [`user ${aclUser.name} on ">${aclUser.password}" ${aclUser.rules}`] : []),
    ...config,
    '',
  ].join('\n')
}
