import type { Answer } from './answer.ts'
import type { DexClient } from './dex-client.ts'
import type { IssuerState } from './issuer-state.ts'
import { oauthErrorAnswer } from './oauth-error.ts'
import type { OpenConnector } from './open-connector.ts'

/** Dex's answer to a connector that does not exist, or that cannot exchange tokens. */
export const noSuchConnectorAnswer: Answer = oauthErrorAnswer(
  400,
  'invalid_request',
  'Requested connector does not exist.',
)

/** Whether a list allows a value; an empty or absent list allows everything. */
function allows(list: readonly string[] | undefined, value: string): boolean {
  return list === undefined || list.length === 0 || list.includes(value)
}

/** The connector of a grant, or Dex's refusal. The id '' stands for no connector, which can do nothing. */
export function resolveConnector(
  { connectors }: IssuerState,
  { allowedConnectors }: DexClient,
  connectorId: string,
  grantType: string,
): OpenConnector | Answer {
  if (connectorId === '') return {}
  if (!allows(allowedConnectors, connectorId)) {
    return oauthErrorAnswer(400, 'invalid_grant', 'Connector not allowed for this client.')
  }
  const connector = connectors.get(connectorId)
  if (connector === undefined) return noSuchConnectorAnswer
  if (!allows(connector.grantTypes, grantType)) {
    return oauthErrorAnswer(400, 'invalid_request', 'Requested connector does not support this grant type.')
  }
  return connector
}
