export { type StoreSettingNames, storeHint } from './store-hint.ts'
export { assertStorePrefix } from './store-prefix.ts'
export { type StoreAddress, type StoreNode, storeAddress } from './store-url.ts'
