import type { NextParts } from '../shared/carried-parts.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { DexOriginDefaults } from './carried-origin.ts'

/** The parts with which every issuer is made. */
export interface IssuersParts {
  /** The broker's, which outlive its options. */
  readonly surroundings: Surroundings
  readonly callers: WaitingCallers
  readonly parts: NextParts
  readonly defaults: DexOriginDefaults
  /** The names of the issuers with clients that a certificate authenticates. */
  readonly mtlsIssuers: ReadonlySet<string>
}
