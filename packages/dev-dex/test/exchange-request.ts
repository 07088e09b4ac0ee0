import type { ConformanceIssuer } from './conformance-issuer.ts'
import { basic, type ReceivedResponse, sendRequest } from './send-request.ts'

export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** Asks for an exchange as `ci-pipeline`; the given fields replace those of a good request at the mock connector. */
export function askExchange(
  issuer: ConformanceIssuer,
  fields: Readonly<Record<string, string>> = {},
  authorization: string = basic('ci-pipeline', 's3cr3t'),
): Promise<ReceivedResponse> {
  return sendRequest(issuer.tokenEndpoint, {
    headers: { authorization },
    body: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      connector_id: 'mock',
      subject_token: 'any',
      subject_token_type: idTokenType,
      ...fields,
    },
  })
}
