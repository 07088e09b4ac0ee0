import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brokerCommand, freePort, ManagedProcess } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { parseDocument, stringify } from 'yaml'
import { dexBinary } from './dex-pod.ts'
import {
  type BrokerFile,
  containerOf,
  type Deployment,
  type DexConfig,
  type ExternalSecret,
  homelabFile,
  homelabText,
  type Kustomization,
  plainVariables,
  type Service,
} from './homelab-files.ts'

const dex = homelabFile<DexConfig>('dex/config.yaml')
const dexDeployment = homelabFile<Deployment>('dex/deployment.yaml')
const dexService = homelabFile<Service>('dex/service.yaml')
const dexSecret = homelabFile<ExternalSecret>('dex/external-secret.yaml')
const dexKustomization = homelabFile<Kustomization>('dex/kustomization.yaml')
const broker = homelabFile<BrokerFile>('broker/broker.yaml')
const brokerDeployment = homelabFile<Deployment>('broker/deployment-patch.yaml')
const brokerSecret = homelabFile<ExternalSecret>('broker/external-secret.yaml')
const brokerKustomization = homelabFile<Kustomization>('broker/kustomization.yaml')
const caddyfile = homelabText('caddy/Caddyfile')

const dexContainer = containerOf(dexDeployment)
const brokerContainer = containerOf(brokerDeployment)
const variables = plainVariables(brokerContainer)

/** The directory in which a volume is mounted. */
function mountPath(container: typeof dexContainer, volume: string | undefined): string | undefined {
  return container.volumeMounts.find(({ name }) => name === volume)?.mountPath
}

/** Where a key of a Secret has its value from. */
function remoteOf({ spec }: ExternalSecret, key: string) {
  return spec.data.find(({ secretKey }) => secretKey === key)?.remoteRef
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'homelab-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('Caddy serves the issuer, and forwards to the node port of the Service', () => {
  const [port] = dexService.spec.ports
  expect(caddyfile).toMatch(new RegExp(`^${new URL(dex.issuer).host} \\{$`, 'm'))
  expect(caddyfile).toContain(`127.0.0.1:${port?.nodePort}`)
  expect(dex.issuer).toMatch(/^https:\/\/[a-z.]+$/)
})

test('the broker has the issuer by its public name, and the endpoints by the name in the cluster', () => {
  const { name } = dexService.metadata
  const [port] = dexService.spec.ports
  const inCluster = `http://${name}.${dexKustomization.namespace}.svc.cluster.local:${port?.port}`
  expect(variables).toMatchObject({
    DEX_ISSUER: dex.issuer,
    DEX_TOKEN_URL: `${inCluster}/token`,
    DEX_JWKS_URL: `${inCluster}/keys`,
    ALLOW_INSECURE_DEX_URL: 'true',
  })
})

test('Dex listens on the ports that its container and its Service name', () => {
  const ports = Object.fromEntries(dexContainer.ports.map(({ name, containerPort }) => [name, containerPort]))
  expect(ports).toEqual({
    http: Number(new URL(`http://${dex.web.http}`).port),
    telemetry: Number(new URL(`http://${dex.telemetry.http}`).port),
  })
  expect(dexService.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['http'])
})

test('SQLite is on the emptyDir of a single pod, which ends before the next one starts', () => {
  const { volumes } = dexDeployment.spec.template.spec
  const storage = volumes.find(({ emptyDir }) => emptyDir !== undefined)
  expect(dex.storage.type).toBe('sqlite3')
  expect(mountPath(dexContainer, storage?.name)).toBe(dirname(dex.storage.config.file))
  expect(dexDeployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } })
})

test('each file of a ConfigMap is mounted where it is read', () => {
  const config = mountPath(dexContainer, 'config')
  expect(dexContainer.command).toEqual(['dex', 'serve', `${config}/config.yaml`])
  expect(variables['CONFIG_FILE']).toBe(`${mountPath(brokerContainer, 'config')}/broker.yaml`)
  for (const [kustomization, deployment] of [
    [dexKustomization, dexDeployment],
    [brokerKustomization, brokerDeployment],
  ] as const) {
    const names = deployment.spec.template.spec.volumes.flatMap(({ configMap }) => configMap?.name ?? [])
    expect(kustomization.configMapGenerator.map(({ name }) => name)).toEqual(names)
  }
})

test('each variable in the configuration of Dex is in its Deployment, and each Secret in the ExternalSecret', () => {
  const expanded = dex.connectors.flatMap(({ config }) =>
    Object.values(config).filter(value => value.startsWith('$')),
  )
  const read = [
    ...dex.staticClients.map(({ secretEnv }) => secretEnv),
    ...expanded.map(name => name.slice(1)),
  ]
  expect(dexContainer.env.map(({ name }) => name).sort()).toEqual(read.sort())
  for (const { valueFrom } of dexContainer.env) {
    expect(valueFrom?.secretKeyRef.name).toBe(dexSecret.spec.target.name)
    expect(remoteOf(dexSecret, valueFrom?.secretKeyRef.key ?? '')).toBeDefined()
  }
})

test("the broker's clients are static clients of Dex with the same secret, and may have their audiences", () => {
  const { volumes } = brokerDeployment.spec.template.spec
  const volume = volumes.find(({ secret }) => secret?.secretName === brokerSecret.spec.target.name)
  const folder = mountPath(brokerContainer, volume?.name)
  for (const { clientId, clientSecret, audiences } of broker.clients) {
    const client = dex.staticClients.find(({ id }) => id === clientId)
    const variable = dexContainer.env.find(({ name }) => name === client?.secretEnv)
    const [, key = ''] = clientSecret.file.split(`${folder}/`)
    expect(remoteOf(brokerSecret, key)).toBeDefined()
    expect(remoteOf(brokerSecret, key)).toEqual(
      remoteOf(dexSecret, variable?.valueFrom?.secretKeyRef.key ?? ''),
    )
    for (const audience of audiences) {
      expect(dex.staticClients.find(({ id }) => id === audience)?.trustedPeers).toContain(clientId)
    }
  }
  expect(brokerSecret.spec.secretStoreRef).toEqual(dexSecret.spec.secretStoreRef)
  expect(volume?.secret?.defaultMode).toBe(0o440)
})

test('ExternalSecrets have the stable API version, and no file is mounted by subPath', () => {
  for (const { apiVersion } of [dexSecret, brokerSecret]) expect(apiVersion).toBe('external-secrets.io/v1')
  expect(homelabText('broker/deployment-patch.yaml')).not.toMatch(/subPath:/)
})

test.for(['homelab', 'secrets'])('each YAML of docs/%s.md can be read', page => {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => yaml)
  expect(blocks).not.toEqual([])
  for (const block of blocks) {
    const { errors, warnings } = parseDocument(block)
    expect([...errors, ...warnings]).toEqual([])
  }
})

test('the command accepts the environment and the file of the broker', async () => {
  const folder = await temporaryFolder()
  const text = homelabText('broker/broker.yaml').replaceAll('/run/secrets/dex-token-broker', folder)
  for (const { clientId } of broker.clients)
    await writeFile(join(folder, `${clientId}-client-secret`), 'secret')
  await writeFile(join(folder, 'broker.yaml'), text)
  const env = { ...variables, CONFIG_FILE: join(folder, 'broker.yaml') }
  await using check = new ManagedProcess('the check', process.execPath, [brokerCommand, '--check-config'], {
    env,
  })
  const exitCode = await check.ended()
  expect(check.log).toContain(`JWKS_MAX_AGE=${variables['JWKS_MAX_AGE']}`)
  // The page says so: these two, because the addresses in the cluster are plain http.
  const warned = [...check.log.matchAll(/^warning: (\w+)/gm)].map(([, variable]) => variable)
  expect(warned).toEqual(['DEX_TOKEN_URL', 'DEX_JWKS_URL'])
  expect(exitCode).toBe(0)
})

/** Runs the real Dex with its file, on other ports and another folder; returns its URL. */
async function startDexWith(environment: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder()
  const [http, telemetry] = [await freePort(), await freePort()]
  const file = join(folder, 'config.yaml')
  const here = {
    storage: { ...dex.storage, config: { file: join(folder, 'dex.db') } },
    web: { http: `127.0.0.1:${http}` },
    telemetry: { http: `127.0.0.1:${telemetry}` },
  }
  await writeFile(file, stringify({ ...dex, ...here }))
  const process = new ManagedProcess('Dex', dexBinary, ['serve', file], {
    env: { ...environment, DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS: 'true' },
  })
  onTestFinished(() => process[Symbol.asyncDispose]())
  await process.until('it is ready', async () => {
    const ready = await fetch(`http://127.0.0.1:${telemetry}/healthz/ready`).catch(() => undefined)
    return ready?.ok ? true : undefined
  })
  return `http://127.0.0.1:${http}`
}

function requestToken(url: string, id: string, secret: string, scope: string): Promise<Response> {
  return fetch(`${url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  })
}

const needsDex = needs({ DEX_BIN: dexBinary !== '' })

test(
  'the real Dex accepts an empty secret for a client whose variable is not set, as the page warns',
  needsDex,
  async () => {
    const url = await startDexWith({})
    for (const { clientId } of broker.clients) {
      expect((await requestToken(url, clientId, '', 'groups')).status).toBe(200)
    }
  },
)

test('the real Dex accepts its file and issues the token that the broker requests', needsDex, async () => {
  const secrets = dexContainer.env.map(({ name }) => [name, `value-of-${name}`] as const)
  const url = await startDexWith(Object.fromEntries(secrets))
  for (const { clientId, scope, audiences } of broker.clients) {
    const client = dex.staticClients.find(({ id }) => id === clientId)
    const scopes = [scope, ...audiences.map(audience => `audience:server:client_id:${audience}`)]
    const answer = await requestToken(url, clientId, `value-of-${client?.secretEnv}`, scopes.join(' '))
    const { access_token: token } = (await answer.json()) as { access_token: string }
    expect(decodeJwt(token)).toMatchObject({
      iss: dex.issuer,
      aud: [...audiences, clientId],
      groups: client?.clientCredentialsClaims?.groups,
    })
  }

  // The variables of a connector are expanded: they are in the redirect to the upstream.
  for (const { id, config } of dex.connectors) {
    const app = dex.staticClients.find(({ redirectURIs = [] }) => redirectURIs.length > 0)
    const query = new URLSearchParams({
      client_id: app?.id ?? '',
      redirect_uri: app?.redirectURIs?.[0] ?? '',
      response_type: 'code',
      scope: 'openid',
    })
    const answer = await fetch(`${url}/auth/${id}?${query}`, { redirect: 'manual' })
    const location = new URL(answer.headers.get('location') ?? '', url)
    expect(location.origin).toBe(config['baseURL'])
    expect(location.searchParams.get('client_id')).toBe(`value-of-${config['clientID']?.slice(1)}`)
  }
})
