import type { DevDex } from '../dev-dex.ts'
import type { DexClient } from '../dex-client.ts'
import type { Settings } from './command-line.ts'

/** The text that the command prints once it listens: where things are, and a call that works. */
export function startText(dex: DevDex, { clients, users = [], tlsFiles }: Settings): string {
  const emails = users.map(({ email }) => email)
  const facts = [
    ['issuer', dex.issuer],
    ['token endpoint', dex.tokenEndpoint],
    ['key set', dex.jwksUri],
    ['clients', clients.map(({ id }) => id).join(', ')],
    ...(emails.length > 0 ? [['users', emails.join(', ')]] : []),
  ]
  const [client] = clients
  return `Dex look-alike for trials and tests. Do not use it as an authorization server.

${facts.map(([name = '', value]) => `  ${name.padEnd(16)}${value}`).join('\n')}
${client ? `\nGet a token:\n\n  ${curl(dex, client, clients, tlsFiles?.cert)}\n` : ''}
Ctrl+C stops it.
`
}

function curl(dex: DevDex, client: DexClient, clients: readonly DexClient[], certFile: string | undefined) {
  const audiences = clients.filter(({ trustedPeers }) => trustedPeers?.includes(client.id))
  const scope = audiences.map(({ id }) => `audience:server:client_id:${id}`).join(' ') || 'openid'
  // RFC 6749, section 2.3.1: both parts are form-encoded before they become Basic credentials.
  const credentials = [client.id, client.secret ?? ''].map(encodeURIComponent).join(':')
  const trust = certFile === undefined ? '' : ` --cacert ${quoted(certFile)}`
  const form = `-d grant_type=client_credentials --data-urlencode ${quoted(`scope=${scope}`)}`
  return `curl -s${trust} -u ${quoted(credentials)} ${form} ${quoted(dex.tokenEndpoint)}`
}

/** One word for a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
