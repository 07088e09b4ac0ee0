// Only suites may import this entry: it needs vitest, which examples and benchmarks do not have.
export { type Need, needs } from './needs.ts'
export { sharedTokenStoreContract } from './store-contract/shared-token-store-contract.ts'
export type { ContractOptions, StoreUnderTest } from './store-contract/store-under-test.ts'
export { vitestSettings } from './vitest-settings.ts'
