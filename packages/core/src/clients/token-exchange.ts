import type { Subject } from '../shared/subject.ts'
import type { SubjectTokenType } from './exchange-request.ts'

/** The parts that only the token request of an exchange has (RFC 8693 section 2.1). */
export interface TokenExchange {
  readonly subject: Subject
  readonly subjectTokenType: SubjectTokenType
  /** Dex's own parameter: the connector that verifies the subject token. */
  readonly connectorId: string
}
