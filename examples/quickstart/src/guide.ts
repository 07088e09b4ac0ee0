import type { Parts } from './parts.ts'
import { credentials } from './scene.ts'

/** Who listens where. */
export function mapOf({ gateway, broker, dex, backend }: Parts): string {
  return [
    'client -> gateway -> backend; the gateway asks the broker about each request, the broker gets tokens from Dex',
    `  gateway  ${gateway.url}, ${gateway.description}`,
    `  broker   ${broker.url}, the command dex-token-broker, process ${broker.pid}`,
    `  dex      ${dex.issuer}, ${dex.name}`,
    `  backend  ${backend.url}, verifies every token`,
    '',
  ].join('\n')
}

/** What to type next. */
export function invitationTo({ gateway, broker }: Parts): string {
  const caller = asCurlOptions(credentials())
  return [
    'It goes on serving. Try:',
    `  curl ${gateway.url}/hello ${caller}`,
    `  curl ${gateway.url}/hello ${caller} -H 'x-scope: openid email'`,
    `  curl -i ${gateway.url}/hello`,
    `  curl ${broker.adminUrl}/metrics`,
    `  curl ${broker.adminUrl}/readyz`,
    `The broker's log is in ${broker.logFile} until Ctrl-C stops everything.`,
  ].join('\n')
}

function asCurlOptions(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `-H '${name}: ${value}'`)
    .join(' ')
}
