import { basic, type SentRequest } from './send-request.ts'

export const grant = { grant_type: 'client_credentials' }
export const formType = { 'content-type': 'application/x-www-form-urlencoded' }
export const authorization = basic('ci-pipeline', 's3cr3t')
export const asPipeline = { authorization }

/** A request of the client with the most rights, or with other headers, for some scopes. */
export function scoped(scope: string, headers: Record<string, string> = asPipeline): SentRequest {
  return { headers, body: { ...grant, scope } }
}
