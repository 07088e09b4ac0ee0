import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { SigningAlgorithm } from '@broker/dev-dex'
import { clientSecret, credentialHeaders, type DexProcess, dexClientCount } from './dex-process.ts'
import { rawCheck } from './raw-request.ts'
import { tenRules } from './ten-rules.ts'

export const modeNames = [
  'cached',
  'static',
  'gated',
  'gated-new',
  'rules',
  'clients',
  'clients-10000',
  'misses',
  'store',
  'grpc',
  'grpc-gated',
] as const
export type ModeName = (typeof modeNames)[number]

const manyClients = 10_000

/** A Redis or Valkey for the mode `store`, named by SHARED_STORE_URL. */
const storeUrl = process.env['SHARED_STORE_URL']

/** Those that this machine can measure. */
export const availableModes: readonly ModeName[] = modeNames.filter(name => name !== 'store' || storeUrl)

/** A kind of check that is measured. */
export interface Mode {
  readonly title: string
  /** Whether every check asks Dex; otherwise none does. */
  readonly asksDex?: boolean
  /** Algorithm of Dex's tokens; default RS256. */
  readonly algorithm?: SigningAlgorithm
  /** How many clients Dex knows; default 1,000. */
  readonly clients?: number
  /** Whether our server is asked over gRPC. The requests are then one, which is the same check over both protocols. */
  readonly overGrpc?: boolean
  /** `scratch` is a folder for files. */
  environment(dex: DexProcess, scratch: string): Record<string, string>
  /** Writes the requests, NUL between them, and says how many they are. */
  writeRequests(file: string, dex: DexProcess, options: { readonly newJwts: number }): Promise<number>
}

const staticClient = {
  STATIC_CLIENT_ID: 'client-0',
  STATIC_CLIENT_SECRET: clientSecret(0),
  STATIC_SCOPE: 'openid groups',
}

function gate({ issuer, jwksUri }: DexProcess) {
  return { ...staticClient, JWKS_URL: jwksUri, JWT_ISSUER: issuer, JWT_AUDIENCE: 'orders' }
}

/** Two issuers, four clients and ten rules, in a configuration file. */
function rules(dex: DexProcess, scratch: string): Record<string, string> {
  const { issuer, jwksUri } = dex
  const clients = [...new Set(tenRules.flatMap(({ client }) => client ?? []))]
  const file = path.join(scratch, 'rules.json')
  writeFileSync(
    file,
    JSON.stringify({
      issuers: [
        { name: 'staff', issuer, jwksUri, audiences: ['orders'] },
        { name: 'cluster', issuer: 'https://cluster.example.com', audiences: ['orders'] },
      ],
      clients: clients.map(name => ({
        name,
        clientId: staticClient.STATIC_CLIENT_ID,
        clientSecret: { env: 'CLIENT_SECRET' },
        scope: staticClient.STATIC_SCOPE,
      })),
      rules: tenRules,
    }),
  )
  return { CONFIG_FILE: file, CLIENT_SECRET: staticClient.STATIC_CLIENT_SECRET }
}

function sharedStore(_dex: DexProcess, scratch: string): Record<string, string> {
  if (!storeUrl) throw new Error('the mode store needs a Redis: set SHARED_STORE_URL')
  const file = path.join(scratch, 'sealing-keys')
  writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 })
  return { SHARED_STORE_URL: storeUrl, SHARED_STORE_KEY_FILE: file }
}

const cached: Mode = {
  title: "cached, the caller's credentials",
  environment: () => ({}),
  writeRequests: async file => writeChecks(file, [credentialHeaders(0)]),
}

const gated: Mode = {
  title: 'gate (RS256), the same JWT again',
  environment: gate,
  writeRequests: writeSameJwt,
}

export const modes: Readonly<Record<ModeName, Mode>> = {
  cached,
  static: {
    title: 'cached, static credentials',
    environment: () => staticClient,
    writeRequests: async file => writeChecks(file, [{}]),
  },
  gated,
  'gated-new': {
    title: 'gate (RS256), a new JWT every time',
    environment: gate,
    async writeRequests(file, dex, { newJwts }) {
      await dex.writeJwtChecks(file, newJwts)
      return newJwts
    },
  },
  rules: {
    title: 'gate (RS256) and ten rules, the last matches',
    environment: rules,
    writeRequests: writeSameJwt,
  },
  clients: {
    title: `cached, ${dexClientCount} clients in turn`,
    environment: () => ({}),
    writeRequests: async file => writeChecks(file, everyClient()),
  },
  'clients-10000': {
    title: `cached, ${manyClients} clients in turn`,
    clients: manyClients,
    environment: () => ({ CACHE_MAX_ENTRIES: String(manyClients) }),
    writeRequests: async file => writeChecks(file, everyClient(manyClients)),
  },
  misses: {
    title: 'not cached: each check asks Dex',
    asksDex: true,
    // Signatures of RS256 take so long that they, and not the server, would set the pace.
    algorithm: 'ES256',
    environment: () => ({ CACHE_MAX_ENTRIES: '0' }),
    // Far more clients than connections, so no two checks under way want the same token and share a request.
    writeRequests: async file => writeChecks(file, everyClient()),
  },
  store: { ...cached, title: `${cached.title}, with a shared store`, environment: sharedStore },
  grpc: { ...cached, title: `${cached.title}, over gRPC`, overGrpc: true },
  'grpc-gated': { ...gated, title: `${gated.title}, over gRPC`, overGrpc: true },
}

async function writeSameJwt(file: string, dex: DexProcess): Promise<number> {
  await dex.writeJwtChecks(file, 1)
  return 1
}

function everyClient(count = dexClientCount): Record<string, string>[] {
  return Array.from({ length: count }, (_, index) => credentialHeaders(index))
}

function writeChecks(file: string, headers: readonly Record<string, string>[]): number {
  writeFileSync(file, headers.map(rawCheck).join('\0'))
  return headers.length
}
