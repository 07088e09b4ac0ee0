import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  bootstrapWithoutBroker,
  type EnvoyProcess,
  envoyBootstrap,
  type ListenerVariants,
  secretResource,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { ask } from './client-request.ts'
import type { Dex } from './dex.ts'
import { goServiceBinary, startGoService } from './go-service.ts'
import { withCheckTimeout } from './listener-variants.ts'
import { type RecordingBackend, startBackend } from './recording-backend.ts'
import { requireEnvoy } from './with-envoy.ts'

/** The parties that can give requests behind Envoy the token of one client. */
export const tokenSourceNames = ['this broker', 'the Go service', 'Envoy alone'] as const
export type TokenSourceName = (typeof tokenSourceNames)[number]

/** The audience of callers' JWTs. */
export const audience = 'orders'

/** Envoy with a gate for callers' JWTs, and one of the parties for the token. All of them have their defaults. */
export interface TokenSource extends AsyncDisposable {
  /**
   * Sends a request with a JWT. Its outcome is the status; with 200 also whether a backend can verify the token: `200`,
   * `200 with an expired token`, `200 with a dead token`.
   */
  outcome(jwt: string): Promise<string>
  /** Puts another secret into the file that has the client's; `undefined` where it comes from the environment alone. */
  readonly changeSecret: ((secret: string) => Promise<void>) | undefined
  readonly envoy: EnvoyProcess
  readonly backend: RecordingBackend
}

export interface TokenSourceOptions {
  readonly dex: Pick<Dex, 'issuer' | 'tokenEndpoint' | 'jwksUri'>
  readonly client: { readonly id: string; readonly secret: string }
  /** How long Envoy waits for a check. Default: as shipped. */
  readonly checkTimeout?: string
}

export async function startTokenSource(
  name: TokenSourceName,
  options: TokenSourceOptions,
): Promise<TokenSource> {
  await using stack = new AsyncDisposableStack()
  const backend = stack.use(await startBackend(options.dex))
  const folder = await mkdtemp(path.join(tmpdir(), 'token-source-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const secretFile = path.join(folder, 'secret')
  const content = name === 'Envoy alone' ? secretResource : (secret: string) => secret
  // Envoy looks at files that are moved into place, as Kubernetes does it.
  const changeSecret = async (secret: string) => {
    await writeFile(`${secretFile}.new`, content(secret))
    await rename(`${secretFile}.new`, secretFile)
  }
  await changeSecret(options.client.secret)

  const bootstrap =
    name === 'Envoy alone'
      ? bootstrapWithoutBroker({
          issuer: options.dex.issuer,
          clientId: options.client.id,
          secretFile,
          backendPort: backend.port,
        })
      : await bootstrapWithChecks(stack, name, { ...options, secretFile, backendPort: backend.port })
  const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  const resources = stack.move()
  return {
    envoy,
    backend,
    outcome: jwt => outcomeOf(envoy.port('ingress'), backend, options.dex.jwksUri, jwt),
    changeSecret: name === 'the Go service' ? undefined : changeSecret,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

interface Checks extends TokenSourceOptions {
  readonly secretFile: string
  readonly backendPort: number
}

async function bootstrapWithChecks(
  stack: AsyncDisposableStack,
  name: TokenSourceName,
  { dex, client, checkTimeout, secretFile, backendPort }: Checks,
) {
  const gate = { STATIC_CLIENT_ID: client.id, JWT_AUDIENCE: audience }
  const listeners: ListenerVariants = {
    ingress: checkTimeout === undefined ? () => {} : withCheckTimeout(checkTimeout),
  }
  if (name === 'the Go service') {
    const service = stack.use(
      await startGoService(goServiceBinary ?? '', {
        ...gate,
        DEX_TOKEN_URL: dex.tokenEndpoint,
        STATIC_CLIENT_SECRET: client.secret,
        JWKS_URL: dex.jwksUri,
        JWT_ISSUER: dex.issuer,
      }),
    )
    return envoyBootstrap({
      brokers: [service],
      backendPort,
      listeners,
      changeBrokerCluster: cluster => {
        cluster['health_checks'][0].http_health_check.path = '/healthz'
      },
    })
  }
  const broker = stack.use(
    await startBroker({ ...gate, DEX_ISSUER: dex.issuer, STATIC_CLIENT_SECRET_FILE: secretFile }),
  )
  await broker.process.until('it was ready', async () => {
    const { status } = await fetch(`http://127.0.0.1:${broker.adminPort}/readyz`)
    return status === 200 ? true : undefined
  })
  return envoyBootstrap({ brokers: [broker], backendPort, listeners })
}

async function outcomeOf(
  port: number,
  backend: RecordingBackend,
  jwksUri: string,
  jwt: string,
): Promise<string> {
  backend.clear()
  const { status } = await ask(port, { headers: { authorization: `Bearer ${jwt}` } })
  if (status !== 200) return String(status)
  const [line = ''] = backend.requests[0]?.header('authorization') ?? []
  const token = line.replace('Bearer ', '')
  if (token === jwt) return '200 with the JWT of the caller'
  if ((decodeJwt(token).exp ?? 0) * 1000 <= Date.now()) return '200 with an expired token'
  // Fresh keys: a backend that has cached the lost ones finds out later.
  const keys = createLocalJWKSet((await (await fetch(jwksUri)).json()) as JSONWebKeySet)
  const verified = await jwtVerify(token, keys).catch(() => undefined)
  return verified === undefined ? '200 with a dead token' : '200'
}
