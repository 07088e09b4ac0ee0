import type { FailureStatus } from '../status/outage-status.ts'
import type { BrokerError } from './errors.ts'
import { failureFields } from './failure-fields.ts'
import type { Surroundings } from './surroundings.ts'

/** Tells a failure without texts of others: no description of Dex, and no message of a function that returns a secret. */
export function failureStatus(
  failure: BrokerError,
  { describeHint }: Pick<Surroundings, 'describeHint'>,
): FailureStatus {
  const { code, message } = failure
  const { hint, cause, url } = failureFields(failure, {
    describeHint: ({ problem, option, detail }) =>
      describeHint({ problem, option, detail: problem === 'secret_unavailable' ? undefined : detail }),
  })
  return { code, message, hint, cause, url }
}
