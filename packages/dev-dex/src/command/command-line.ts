import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import type { DevDexOptions } from '../dev-dex.ts'
import type { DexClient } from '../dex-client.ts'
import { localConnectorId } from '../dex-connector.ts'
import type { DexUser } from '../dex-user.ts'
import type { SigningAlgorithm } from '../signing-key.ts'
import { durationMs } from './duration.ts'
import { WrongArguments } from './wrong-arguments.ts'

/** The port of Dex's own examples. */
const defaultPort = 5556

/** The clients of a command without `--client`. */
const defaultClients: readonly DexClient[] = [
  { id: 'reports', secret: 'reports-secret' },
  { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
]

const algorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256']

/** The look-alike that the arguments describe. */
export interface Settings extends Omit<DevDexOptions, 'tls'> {
  readonly clients: readonly DexClient[]
  readonly hostname: string
  readonly port: number
  /** Files in PEM. */
  readonly tlsFiles?: { readonly key: string; readonly cert: string }
}

/** The request that the arguments make. */
export type CommandLine =
  | { readonly action: 'help' }
  | { readonly action: 'version' }
  | { readonly action: 'serve'; readonly settings: Settings }

/** Reads the arguments of the command; throws {@link WrongArguments}. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const values = parsed(args)
  if (values.help) return { action: 'help' }
  if (values.version) return { action: 'version' }
  const { issuer, 'issuer-path': issuerPath, algorithm, 'token-lifetime': lifetime } = values
  const users = (values.user ?? []).map(userOf)
  const settings: Settings = {
    clients: clientsOf(values.client, values['trusted-peer'] ?? []),
    hostname: hostnameOf(values.host ?? '127.0.0.1', values['allow-remote'] ?? false),
    port: values.port === undefined ? defaultPort : portOf(values.port),
    ...(users.length > 0 && { users, passwordConnector: localConnectorId }),
    ...(issuer !== undefined && { issuer: issuerOf(issuer) }),
    ...(issuerPath !== undefined && { issuerPath: issuerPathOf(issuerPath) }),
    ...(lifetime !== undefined && { idTokensMs: lifetimeOf(lifetime) }),
    ...(algorithm !== undefined && { algorithm: algorithmOf(algorithm) }),
    ...tlsFilesOf(values['tls-key'], values['tls-cert']),
  }
  return { action: 'serve', settings }
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        client: { type: 'string', multiple: true },
        'trusted-peer': { type: 'string', multiple: true },
        user: { type: 'string', multiple: true },
        port: { type: 'string' },
        host: { type: 'string' },
        'allow-remote': { type: 'boolean' },
        'issuer-path': { type: 'string' },
        issuer: { type: 'string' },
        'token-lifetime': { type: 'string' },
        algorithm: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    })
    return values
  } catch (error) {
    throw new WrongArguments((error as Error).message)
  }
}

function clientsOf(given: readonly string[] | undefined, trustedPeers: readonly string[]) {
  const clients = given?.map(clientOf) ?? defaultClients
  const ids = clients.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new WrongArguments(`--client: the id ${twice} appears twice`)
  const pairs = trustedPeers.map(text => peersOf(text, ids))
  return clients.map(client => {
    const peers = pairs.filter(({ id }) => id === client.id).map(({ peer }) => peer)
    return peers.length === 0
      ? client
      : { ...client, trustedPeers: [...(client.trustedPeers ?? []), ...peers] }
  })
}

function clientOf(text: string): DexClient {
  const [id, secret] = halves(text, ':')
  if (!id || !secret) throw new WrongArguments('--client must be ID:SECRET, such as reports:reports-secret')
  return { id, secret }
}

function peersOf(text: string, ids: readonly string[]) {
  const [id, peer] = halves(text, '=')
  if (!id || !peer) throw new WrongArguments('--trusted-peer must be ID=PEER, such as orders=reports')
  for (const name of [id, peer]) {
    if (!ids.includes(name))
      throw new WrongArguments(`--trusted-peer: there is no --client with the id ${name}`)
  }
  return { id, peer }
}

function userOf(text: string): DexUser {
  const [email, password] = halves(text, ':')
  if (!email || !password)
    throw new WrongArguments('--user must be EMAIL:PASSWORD, such as ada@example.com:ada-password')
  const [name = email] = email.split('@')
  return { email, password, userID: email, username: name }
}

function halves(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new WrongArguments(`--port must be a number from 0 to 65535, not ${text}`)
  return port
}

/** Everyone who reaches the look-alike can get any token, so other machines must not by accident. */
function hostnameOf(text: string, mayBeRemote: boolean): string {
  if (text === '') throw new WrongArguments('--host must be an address, such as 127.0.0.1')
  const isLoopback = text === 'localhost' || text === '::1' || (isIP(text) === 4 && text.startsWith('127.'))
  if (isLoopback || mayBeRemote) return text
  throw new WrongArguments(`--host ${text} lets other machines reach it: add --allow-remote if you want that`)
}

function issuerOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    throw new WrongArguments(
      '--issuer must be an http or https URL without a query, such as http://dex:5556/dex',
    )
  return text
}

function issuerPathOf(text: string): string {
  if (!/^\/[\w./~-]*$/.test(text))
    throw new WrongArguments(`--issuer-path must begin with /, such as /dex, not ${text}`)
  return text
}

function lifetimeOf(text: string): number {
  const lifetimeMs = durationMs(text)
  if (lifetimeMs === undefined)
    throw new WrongArguments(`--token-lifetime must be a time such as 90s or 1h30m, not ${text}`)
  return lifetimeMs
}

function algorithmOf(text: string): SigningAlgorithm {
  const algorithm = algorithms.find(known => known === text)
  if (algorithm === undefined)
    throw new WrongArguments(`--algorithm must be ${algorithms.join(' or ')}, not ${text}`)
  return algorithm
}

function tlsFilesOf(key: string | undefined, cert: string | undefined) {
  if (key === undefined && cert === undefined) return {}
  if (key === undefined || cert === undefined)
    throw new WrongArguments('--tls-cert and --tls-key need each other')
  return { tlsFiles: { key, cert } }
}
