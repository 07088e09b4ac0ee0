import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCertificateAuthority } from '../certificate-authority.ts'
import { freePort } from '../free-port.ts'
import { ManagedProcess } from '../managed-process.ts'
import type { ApiServer, TokenOrder } from './api-server.ts'

export interface RealApiServerBinaries {
  /** A kube-apiserver, KUBE_APISERVER_BIN. */
  readonly apiServer: string
  /** An etcd, ETCD_BIN. */
  readonly etcd: string
}

export interface RealApiServer extends ApiServer {
  /** Sends a request as an administrator, or with this bearer token; `null` sends none. */
  ask(path: string, options?: AskOptions): Promise<ApiAnswer>
}

export interface AskOptions {
  readonly token?: string | null
  readonly accept?: string
  /** Sent as JSON by POST. */
  readonly body?: object
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Starts etcd and a kube-apiserver as plain processes on 127.0.0.1. Nothing runs pods; everything is lost at the end. */
export async function startRealApiServer({ apiServer, etcd }: RealApiServerBinaries): Promise<RealApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'api-server-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))

  const [clientPort, peerPort, port] = [await freePort(), await freePort(), await freePort()]
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`]
  stack.use(
    new ManagedProcess('etcd', etcd, [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--unsafe-no-fsync',
    ]),
  )

  const ca = createCertificateAuthority('Kubernetes test CA')
  const tls = ca.issue('127.0.0.1')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const administrator = randomBytes(16).toString('hex')
  const issuer = 'https://kubernetes.default.svc.cluster.local'
  const write = async (name: string, text: string) => {
    const file = join(folder, name)
    await writeFile(file, text)
    return file
  }
  const process = stack.use(
    new ManagedProcess('kube-apiserver', apiServer, [
      `--etcd-servers=${clientUrl}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${folder}`,
      `--tls-cert-file=${await write('tls.crt', tls.cert)}`,
      `--tls-private-key-file=${await write('tls.key', tls.key)}`,
      `--service-account-key-file=${await write('sa.pub', publicKey.export({ format: 'pem', type: 'spki' }).toString())}`,
      `--service-account-signing-key-file=${await write('sa.key', privateKey.export({ format: 'pem', type: 'pkcs1' }).toString())}`,
      `--service-account-issuer=${issuer}`,
      // An address that cannot be reached, as the advertised one from outside of a cluster.
      '--service-account-jwks-uri=https://10.0.0.1:6443/openid/v1/jwks',
      `--token-auth-file=${await write('tokens.csv', `${administrator},admin,admin,system:masters\n`)}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount',
    ]),
  )

  const ask: RealApiServer['ask'] = (path, options) =>
    askApiServer(`https://127.0.0.1:${port}${path}`, ca.cert, { token: administrator, ...options })
  await process.until('a ready API server', async () => {
    const answer = await ask('/readyz').catch(() => undefined)
    return answer?.status === 200 ? true : undefined
  })

  async function create(path: string, body: object): Promise<string> {
    const answer = await ask(path, { body })
    const isThere = answer.status === 409
    if (answer.status >= 300 && !isThere) throw new Error(`${path}: ${answer.status} ${answer.body}`)
    return answer.body
  }

  const parts = stack.move()
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caCert: ca.cert,
    issuer,
    ask,
    async requestToken({ namespace, name, audiences }: TokenOrder) {
      const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
      await create('/api/v1/namespaces', { metadata: { name: namespace } })
      await create(accounts, { metadata: { name } })
      const answer = await create(`${accounts}/${name}/token`, {
        spec: { ...(audiences && { audiences }), expirationSeconds: 3600 },
      })
      return (JSON.parse(answer) as { status: { token: string } }).status.token
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

/** Sends one request on its own connection. */
export function askApiServer(
  url: string,
  ca: string,
  { token = null, accept, body }: AskOptions = {},
): Promise<ApiAnswer> {
  const headers = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(accept !== undefined && { accept }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: body ? 'POST' : 'GET', headers, ca, agent: false },
      async response => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk as Buffer)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(chunks).toString(),
        })
      },
    )
    sent.on('error', reject).end(body && JSON.stringify(body))
  })
}
