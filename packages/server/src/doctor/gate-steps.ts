import type { JwtRefusalReason } from '@broker/core'

/** The steps of the gate in their order, with the reasons for which each refuses. */
export const steps = [
  { name: 'form', reasons: ['missing', 'malformed', 'unsupported'] },
  { name: 'algorithm', reasons: ['algorithm'] },
  { name: 'issuer', reasons: ['issuer'] },
  { name: 'audience', reasons: ['audience'] },
  { name: 'time', reasons: ['expired', 'not_yet_valid', 'claims'] },
  { name: 'key', reasons: ['unknown_key', 'unusable_key'] },
  { name: 'signature', reasons: ['signature'] },
  { name: 'groups and scopes', reasons: ['group', 'scope'] },
] as const satisfies readonly { readonly name: string; readonly reasons: readonly JwtRefusalReason[] }[]

export type StepName = (typeof steps)[number]['name']
