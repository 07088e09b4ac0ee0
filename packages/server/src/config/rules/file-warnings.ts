import { isExposedUrl } from '@broker/core/options'
import type { ConfigFile } from '../file/config-file.ts'
import { urlsOf } from '../file/issuer-urls.ts'
import { quoteValue } from '../values/quote-value.ts'
import { exchangeWarnings } from './exchange-warnings.ts'

export interface FileSurroundings {
  /** The issuer of the variables. */
  readonly dexIssuer: string | undefined
  /** Whether routes may name any client. */
  readonly routesChoose: boolean
}

/** Lists what is dangerous or likely a mistake in a valid configuration file. */
export function fileWarnings(
  file: ConfigFile,
  { dexIssuer, routesChoose }: FileSurroundings,
): readonly string[] {
  const { path, issuers, clients, rules } = file
  const used = new Set(rules.map(({ definition: { client, exchange } }) => client ?? exchange?.client))
  return [
    ...issuers
      .filter(({ definition: { audiences } }) => audiences === undefined)
      .map(
        ({ definition: { name } }) =>
          `${path}: the issuer ${quoteValue(name)} has no audiences: a JWT that it made for any other service is accepted too. Set audiences.`,
      ),
    ...issuers
      .filter(({ definition }) => urlsOf(definition).some(({ url }) => isExposedUrl(new URL(url))))
      .map(
        ({ definition: { name } }) =>
          `${path}: the issuer ${quoteValue(name)} has a URL that is not https: an attacker on the network can change its answer and forge JWTs.`,
      ),
    ...clients
      .filter(({ definition: { name } }) => !routesChoose && !used.has(name))
      .map(({ definition: { name } }) => `${path}: no rule uses the client ${quoteValue(name)}.`),
    ...exchangeWarnings(file, dexIssuer),
  ]
}
