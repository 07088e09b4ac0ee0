import { describe } from 'vitest'
import { clockContract } from './clock-contract.ts'
import { forgettingContract } from './forgetting-contract.ts'
import { leasesContract } from './leases-contract.ts'
import { recordsContract } from './records-contract.ts'
import type { ContractOptions } from './store-under-test.ts'

/** Registers a test for every promise of `SharedTokenStore`, for one kind of store. */
export function sharedTokenStoreContract(kind: string, options: ContractOptions): void {
  describe(kind, () => {
    recordsContract(options)
    leasesContract(options)
    forgettingContract(options)
    if (options.turnsBack === true) clockContract(options)
  })
}
