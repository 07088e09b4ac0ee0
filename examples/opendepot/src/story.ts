import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeDexSubject, startDevDex } from '@broker/dev-dex'
import { startRealDex } from '@broker/dev-dex/real-dex'
import { type ApiServer, startApiServerStandIn, startBroker, startGateway } from '@broker/testing'
import { ci, clients, dashboard, opendepot } from './dex-clients.ts'
import { type RegistryAnswer, startRegistry } from './registry.ts'

export type { RegistryAnswer } from './registry.ts'
export { startTofuStory, type TofuRun, type TofuStory } from './tofu-story.ts'

/** `broker.yaml` has these addresses; here everything is on 127.0.0.1. */
const written = {
  issuer: 'https://dex.example.com/dex',
  inside: 'http://opendepot-dex.opendepot-system.svc:5556/dex',
} as const

export interface StoryOptions {
  /** A real Dex; default: the look-alike. */
  readonly dexBinary?: string | undefined
  /** A real Envoy; default: its stand-in. */
  readonly envoyBinary?: string | undefined
  /** Default: the stand-in with recorded answers. */
  readonly startApiServer?: () => Promise<ApiServer>
}

export interface Story extends AsyncDisposable {
  readonly issuer: string
  /** Tokens that callers have, by name. */
  readonly tokens: Tokens
  /** Requests a token of the client `ci-pipeline` from Dex, as pipelines do. */
  machineToken(scope?: string): Promise<string>
  /** Asks the registry itself. */
  askRegistry(token: string | undefined): Promise<RegistryAnswer>
  /** Asks the registry through Envoy and the broker. */
  askGateway(token: string | undefined): Promise<RegistryAnswer | { readonly status: number }>
  /** Requests that arrived at the registry. */
  readonly registryRequests: number
}

export interface Tokens {
  readonly user: string
  readonly badSignature: string
  /** Of the look-alike; a real Dex signs none, so there it is also one with a bad signature. */
  readonly expired: string
  readonly userOfOtherClient: string
  readonly serviceAccount: string
  readonly otherServiceAccount: string
  readonly serviceAccountForApiServer: string
  readonly garbage: string
}

/** Starts Dex, an API server, the registry, the broker and Envoy or its stand-in. */
export async function startStory(options: StoryOptions = {}): Promise<Story> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'opendepot-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }

  const dex = stack.use(await startDex(options.dexBinary))
  const cluster = stack.use(await (options.startApiServer ?? startApiServerStandIn)())
  const caFile = await write('ca.crt', cluster.caCert)
  const brokersAccount = { namespace: 'broker', name: 'dex-token-broker' }
  await write('token', await cluster.requestToken(brokersAccount))
  await write('ci-pipeline-secret', ci.secret)

  const registry = stack.use(
    await startRegistry({
      issuerUrl: dex.issuer,
      jwksUri: dex.jwksUri,
      clientId: opendepot.id,
      allowServiceAccountFallback: true,
      allowClientCredentials: true,
      boundGroups: ['authors', 'deployers', `client:${ci.id}`],
      apiServer: { url: cluster.url, caFile },
    }),
  )

  const file = await readFile(new URL('../broker.yaml', import.meta.url), 'utf8')
  const configuration = file
    .replaceAll(written.issuer, dex.issuer)
    .replaceAll(written.inside, dex.jwksUri.replace(/\/keys$/, ''))
    .replace('kubernetes: {}', `kubernetes: { server: '${cluster.url}', caFile: ca.crt, tokenFile: token }`)
  const broker = stack.use(await startBroker({ CONFIG_FILE: await write('broker.yaml', configuration) }))
  const gateway = stack.use(
    await startGateway({ envoyBinary: options.envoyBinary, broker, backendPort: registry.port }),
  )

  const account = { namespace: 'jobs', name: 'nightly' }
  const audiences = ['dex-token-broker']
  const user = await dex.userToken(opendepot)
  const tokens: Tokens = {
    user,
    badSignature: withClaims(user, { groups: ['deployers'] }),
    expired: dex.expiredToken?.() ?? withClaims(user, { exp: 1 }),
    userOfOtherClient: await dex.userToken(dashboard),
    serviceAccount: await cluster.requestToken({ ...account, audiences }),
    otherServiceAccount: await cluster.requestToken({ ...account, name: 'preview', audiences }),
    serviceAccountForApiServer: await cluster.requestToken(account),
    garbage: 'garbage',
  }

  const ask = async (port: number, token: string | undefined) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${port}/opendepot/modules/v1/`, { headers })
    const { status } = response
    const text = await response.text()
    return text.startsWith('{"status"') ? (JSON.parse(text) as RegistryAnswer) : { status }
  }
  const parts = stack.move()
  return {
    issuer: dex.issuer,
    tokens,
    machineToken: scope => requestToken(dex.tokenEndpoint, ci, { grant_type: 'client_credentials', scope }),
    askRegistry: async token => (await ask(registry.port, token)) as RegistryAnswer,
    askGateway: token => ask(gateway.port, token),
    get registryRequests() {
      return registry.requests
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

interface DexOfStory extends AsyncDisposable {
  readonly issuer: string
  /** As the broker and the registry reach it. */
  readonly tokenEndpoint: string
  readonly jwksUri: string
  /** A user's token for this client. */
  userToken(client: DexClientOfStory): Promise<string>
  /** A user's token that has expired. */
  readonly expiredToken?: () => string
}

interface DexClientOfStory {
  readonly id: string
  readonly secret: string
}

/** A real Dex is reached by its issuer. The look-alike has the issuer of the file, which no machine here can reach. */
async function startDex(binary: string | undefined): Promise<DexOfStory> {
  if (binary !== undefined) {
    const dex = await startRealDex(binary, { clients })
    // Dex's mock connector accepts any subject token: its user has the group `authors`.
    const userToken = (client: DexClientOfStory) =>
      requestToken(dex.tokenEndpoint, client, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        subject_token: 'any',
        connector_id: 'mock',
        scope: 'openid groups',
      })
    return { ...dex, userToken, [Symbol.asyncDispose]: () => dex.close() }
  }
  const dex = await startDevDex({ clients, issuer: written.issuer })
  const { issuer, tokenEndpoint, jwksUri } = dex
  const sub = encodeDexSubject('0-385-28089-0', 'mock')
  const sign = (aud: string, seconds: number) => {
    const exp = Math.floor(Date.now() / 1000) + seconds
    return dex.signJwt({ iss: issuer, aud, sub, exp, groups: ['authors'] })
  }
  return {
    issuer,
    tokenEndpoint,
    jwksUri,
    userToken: async ({ id }) => sign(id, 3600),
    expiredToken: () => sign(opendepot.id, -60),
    [Symbol.asyncDispose]: () => dex.close(),
  }
}

/** The token with other claims; the signature does not fit them. */
function withClaims(token: string, claims: object): string {
  const [header, payload = '', signature] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims }
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
}

async function requestToken(
  endpoint: string,
  { id, secret }: DexClientOfStory,
  form: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const body = new URLSearchParams({ client_id: id, client_secret: secret })
  for (const [name, value] of Object.entries(form)) if (value !== undefined) body.set(name, value)
  const response = await fetch(endpoint, { method: 'POST', body })
  const answer = (await response.json()) as { access_token?: string }
  if (answer.access_token === undefined) throw new Error(`Dex: ${response.status} ${JSON.stringify(answer)}`)
  return answer.access_token
}
