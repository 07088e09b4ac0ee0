export { type RedisTokenStore, redisTokenStore } from './redis-token-store.ts'
export type { Password, RedisTlsOptions, RedisTokenStoreOptions, Tls } from './redis-token-store-options.ts'
