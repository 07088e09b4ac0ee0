import { storeHint } from '@broker/redis-store/options'

/** An instruction for a failure of the shared store, with the names of variables; `code` as in its `StoreFailure`. */
export function serverStoreHint(code: string | undefined): string {
  return storeHint(code, {
    url: 'SHARED_STORE_URL',
    credentials: 'SHARED_STORE_USERNAME and SHARED_STORE_PASSWORD_FILE',
    password: 'SHARED_STORE_PASSWORD_FILE',
    ca: 'SHARED_STORE_CA_FILE',
    rights: 'docs/scaling.md',
  })
}
