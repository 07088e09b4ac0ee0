import type { CheckFacts, SpanAttributes, Verdict } from '@broker/core'
import type { CheckProtocol } from '../checks.ts'

/** The attributes of every check. The path and the query belong to the client, and are in none. */
export const checkAttributes: Readonly<Record<CheckProtocol, SpanAttributes>> = {
  http: { 'http.route': '/check' },
  grpc: { 'rpc.system.name': 'grpc', 'rpc.method': 'envoy.service.auth.v3.Authorization/Check' },
}

/** The attributes that a verdict adds. The core has set `requested` or `joined` for a check that waited for a token. */
export function verdictAttributes(verdict: Verdict, { cache, client, rule }: CheckFacts): SpanAttributes {
  return {
    'dex_broker.verdict': verdict.outcome,
    'http.response.status_code': verdict.outcome === 'allow' ? 200 : verdict.status,
    ...(verdict.outcome !== 'allow' && { 'dex_broker.code': verdict.code }),
    ...(cache !== undefined && cache !== 'miss' && { 'dex_broker.outcome': cache }),
    ...(client !== undefined && { 'dex_broker.client': client }),
    ...(rule !== undefined && { 'dex_broker.rule': rule }),
  }
}
