export { type RedisTokenStore, redisTokenStore } from './redis-token-store.ts'
export type {
  Password,
  RedisTlsOptions,
  RedisTokenStoreOptions,
  SentinelCredentials,
  Tls,
} from './redis-token-store-options.ts'
export { StoreFailure } from './store-failure.ts'
export type { StoreInspection, StoreMemory } from './store-inspection.ts'
