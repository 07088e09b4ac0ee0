import type { StartIssuer } from './conformance-issuer.ts'
import { describeDocuments } from './describe-documents.ts'
import { describeOddSubjectTokens } from './describe-odd-subject-tokens.ts'
import { describePasswordGrant } from './describe-password-grant.ts'
import { describeTokenContents } from './describe-token-contents.ts'
import { describeTokenEndpoint } from './describe-token-endpoint.ts'
import { describeTokenExchange } from './describe-token-exchange.ts'
import { describeUpstreamExchange } from './describe-upstream-exchange.ts'

/** Everything that a look-alike and a real Dex must have in common. */
export function describeConformance(start: StartIssuer): void {
  describeTokenEndpoint(start)
  describeTokenContents(start)
  describeDocuments(start)
  describePasswordGrant(start)
  describeTokenExchange(start)
  describeUpstreamExchange(start, start)
  describeOddSubjectTokens(start)
}
