import type { ConfigFile } from './config-file.ts'
import { flowText } from './flow-text.ts'

const mask = '********'

/** Describes the issuers, clients and rules in effect as YAML, with each secret masked beside its source. No final line break. */
export function describeFile({ path, issuers, clients, rules }: ConfigFile): string {
  const maskedClients = clients.map(({ definition: { clientSecret, ...client } }) => {
    // A key stays in its file.
    if (clientSecret === undefined) return client
    const source =
      clientSecret.env === undefined ? `file ${clientSecret.file}` : `environment ${clientSecret.env}`
    return { ...client, clientSecret: `${mask} (${source})` }
  })
  const lists = {
    issuers: issuers.map(({ definition }) => definition),
    clients: maskedClients,
    rules: rules.map(({ definition }) => definition),
  }
  return [`# ${path}`, ...Object.entries(lists).flatMap(([name, entries]) => section(name, entries))].join(
    '\n',
  )
}

function section(name: string, entries: readonly unknown[]): readonly string[] {
  return entries.length === 0 ? [] : [`${name}:`, ...entries.map(entry => `  - ${flowText(entry)}`)]
}
