import type { StartIssuer } from './conformance-issuer.ts'
import { describeDocuments } from './describe-documents.ts'
import { describeTokenContents } from './describe-token-contents.ts'
import { describeTokenEndpoint } from './describe-token-endpoint.ts'

/** Everything that a look-alike and a real Dex must have in common. */
export function describeConformance(start: StartIssuer): void {
  describeTokenEndpoint(start)
  describeTokenContents(start)
  describeDocuments(start)
}
