import type { AnswerRequest } from '@broker/testing'
import * as undici from 'undici'
import * as undici7 from 'undici-7'
import type { OutgoingTokenOptions } from '../../src/outbound/outgoing-tokens.ts'
import { tokenInterceptor } from '../../src/undici/token-interceptor.ts'
import {
  closeWithoutRest,
  type OutgoingCalls,
  ownFetchTakesUndici8,
  startOutgoingCalls,
} from '../outbound/outgoing-calls.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface CallInit {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

type Client = (dispatcher: undici.Dispatcher, url: string, init?: CallInit) => Promise<Answer>

async function requested(fetched: Promise<undici.Response | Response>): Promise<Answer> {
  const response = await fetched
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  }
}

function requestOf(request: typeof undici.request): Client {
  return async (dispatcher, url, { method = 'GET', ...init } = {}) => {
    const { statusCode, headers, body } = await request(url, { ...init, method, dispatcher })
    return { status: statusCode, headers, text: await body.text() }
  }
}

interface NamedClient {
  readonly version: typeof undici
  readonly client: Client
  readonly replays: boolean
}

/** Every way to make a request through a dispatcher. Only `request` hands its body over as it is. */
export const clients: Readonly<Record<string, NamedClient>> = {
  'request of undici 8': { version: undici, client: requestOf(undici.request), replays: true },
  'request of undici 7': {
    version: undici7 as unknown as typeof undici,
    client: requestOf(undici7.request as unknown as typeof undici.request),
    replays: true,
  },
  'fetch of undici 8': {
    version: undici,
    client: (dispatcher, url, init) =>
      requested(undici.fetch(url, { ...init, dispatcher, redirect: 'manual' })),
    replays: false,
  },
  'fetch of undici 7': {
    version: undici7 as unknown as typeof undici,
    client: (dispatcher, url, init) =>
      requested(
        undici7.fetch(url, { ...init, dispatcher: dispatcher as never, redirect: 'manual' }) as never,
      ),
    replays: false,
  },
  'fetch of Node': {
    version: ownFetchTakesUndici8 ? undici : (undici7 as unknown as typeof undici),
    client: (dispatcher, url, init) =>
      requested(
        fetch(url, { ...(init as RequestInit), dispatcher: dispatcher as never, redirect: 'manual' }),
      ),
    replays: false,
  },
}

export interface InterceptedCalls extends OutgoingCalls {
  readonly dispatcher: undici.Dispatcher
}

interface Settings {
  readonly answer?: AnswerRequest
  readonly broker?: NonNullable<Parameters<typeof startOutgoingCalls>[0]>['broker']
  readonly options?: (out: OutgoingCalls) => Partial<OutgoingTokenOptions>
  readonly version?: typeof undici
  /** Puts other interceptors around ours. */
  readonly compose?: (
    agent: undici.Agent,
    ours: undici.Dispatcher.DispatcherComposeInterceptor,
  ) => undici.Dispatcher
}

/** A dispatcher with the interceptor, with connections of its own that must be free at the end. */
export async function startInterceptedCalls(settings: Settings = {}): Promise<InterceptedCalls> {
  const { answer, broker = {}, version = undici } = settings
  const out = await startOutgoingCalls({ broker, ...(answer && { answer }) })
  const agent = new version.Agent()
  const ours = tokenInterceptor(out.broker, { allow: [out.backend.url], ...settings.options?.(out) })
  const dispatcher = settings.compose?.(agent, ours) ?? agent.compose(ours)
  return {
    ...out,
    dispatcher,
    async [Symbol.asyncDispose]() {
      await out.broker.close()
      await closeWithoutRest(agent)
      await out[Symbol.asyncDispose]()
    },
  }
}
