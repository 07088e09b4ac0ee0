// Only suites may import this entry: it needs vitest, which examples and benchmarks do not have.
export { type Need, needs } from './needs.ts'
export {
  type ContractOptions,
  type StoreUnderTest,
  sharedTokenStoreContract,
} from './shared-token-store-contract.ts'
export { vitestSettings } from './vitest-settings.ts'
