import type { Answer } from './answer.ts'
import type { DexClient } from './dex-client.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import { type FormFields, queryUnescape } from './url-encoded-form.ts'

/** Credentials as a token request presents them. */
export interface PresentedCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The two halves of a Basic header, not form-decoded yet, or `undefined` when it does not parse. */
function splitBasic(authorization: string | undefined): [string, string] | undefined {
  const encoded = /^basic (.*)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined || !base64.test(encoded)) return undefined
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)]
}

/**
 * Reads the client credentials of a token request: a Basic header wins whenever it parses, and its
 * halves are form-decoded; otherwise the body's fields count.
 */
export function readClientCredentials(
  authorization: string | undefined,
  form: FormFields,
): PresentedCredentials | Answer {
  const basic = splitBasic(authorization)
  if (basic === undefined) {
    return { clientId: form.get('client_id') ?? '', clientSecret: form.get('client_secret') ?? '' }
  }
  const clientId = queryUnescape(basic[0])
  if (clientId === undefined) return oauthErrorAnswer(400, 'invalid_request', 'client_id improperly encoded')
  const clientSecret = queryUnescape(basic[1])
  if (clientSecret === undefined) {
    return oauthErrorAnswer(400, 'invalid_request', 'client_secret improperly encoded')
  }
  return { clientId, clientSecret }
}

/** The client that the credentials belong to; an unknown client and a wrong secret look the same. */
export function authenticateClient(
  clients: ReadonlyMap<string, DexClient>,
  { clientId, clientSecret }: PresentedCredentials,
): DexClient | undefined {
  const client = clients.get(clientId)
  return client !== undefined && (client.secret ?? '') === clientSecret ? client : undefined
}
