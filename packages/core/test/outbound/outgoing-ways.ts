import axios from 'axios'
import got from 'got'
import { Agent } from 'undici'
import { axiosInterceptor } from '../../src/outbound/axios-interceptor.ts'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import { gotHooks } from '../../src/outbound/got-hooks.ts'
import { headerProvider } from '../../src/outbound/header-provider.ts'
import type { OutgoingTokenOptions } from '../../src/outbound/outgoing-tokens.ts'
import type { TokenProvider } from '../../src/outbound/token-provider.ts'
import { tokenInterceptor } from '../../src/undici/token-interceptor.ts'

/** Sends a GET and returns its status. Rejects with the error of the outgoing way itself. */
type Send = (url: string, signal?: AbortSignal) => Promise<number>

interface OutgoingWay {
  readonly make: (provider: TokenProvider, options: OutgoingTokenOptions) => Send
  /** Whether it sees the answer. */
  readonly replaces: boolean
}

const init = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal })

/** Every way to send calls with a token, with plain clients behind it. */
export const outgoingWays: Readonly<Record<string, OutgoingWay>> = {
  createFetch: {
    replaces: true,
    make(provider, options) {
      const call = createFetch(provider, options)
      return async (url, signal) => (await call(url, init(signal))).status
    },
  },
  headerProvider: {
    replaces: false,
    make(provider, options) {
      const headersFor = headerProvider(provider, options)
      return async (url, signal) => {
        const response = await fetch(url, { headers: await headersFor(url, init(signal)) })
        return response.status
      }
    },
  },
  axiosInterceptor: {
    replaces: true,
    make(provider, options) {
      const client = axios.create({ validateStatus: () => true })
      axiosInterceptor(provider, options)(client)
      return async (url, signal) => (await client.get(url, init(signal))).status
    },
  },
  gotHooks: {
    replaces: true,
    make(provider, options) {
      const client = got.extend({ hooks: gotHooks(provider, options), retry: { limit: 0 } })
      return async (url, signal) => {
        const call = client(url, { throwHttpErrors: false, ...init(signal) })
        const { statusCode } = await call.catch(error => Promise.reject(error.cause ?? error))
        return statusCode
      }
    },
  },
  tokenInterceptor: {
    replaces: true,
    make(provider, options) {
      const agent = new Agent({ keepAliveTimeout: 1 })
      const dispatcher = agent.compose(tokenInterceptor(provider, options))
      return async (url, signal) => {
        const { origin, pathname, search } = new URL(url)
        const { statusCode, body } = await dispatcher.request({
          origin,
          path: pathname + search,
          method: 'GET',
          ...init(signal),
        })
        await body.dump()
        return statusCode
      }
    },
  },
}
