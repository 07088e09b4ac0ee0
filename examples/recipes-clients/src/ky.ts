// ky, over createFetch.
// #region client
import { createFetch, type TokenBroker } from '@broker/core'
import ky, { type KyInstance } from 'ky'

/** A ky client for one API. Calls elsewhere get no token; a refused token is replaced, and the call repeated once. */
export function apiClient(broker: TokenBroker, apiUrl: string): KyInstance {
  return ky.create({ baseUrl: apiUrl, fetch: createFetch(broker, { allow: [apiUrl] }) })
}
// #endregion client
