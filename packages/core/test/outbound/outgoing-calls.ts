import { type AnswerRequest, type RecordingServer, startRecordingServer, within } from '@broker/testing'
import type { Agent } from 'undici'
import { expect } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { type CreateFetchOptions, createFetch } from '../../src/outbound/create-fetch.ts'
import { type BrokerWithDex, orders, startBrokerWithDex } from '../broker-with-dex.ts'

export interface OutgoingCalls extends BrokerWithDex {
  /** Inside the allow-list. */
  readonly backend: RecordingServer
  /** Another origin, outside. */
  readonly elsewhere: RecordingServer
  readonly agent: Agent
  readonly call: typeof globalThis.fetch
}

interface Settings {
  readonly answer?: AnswerRequest
  readonly broker?: Partial<TokenBrokerOptions>
  readonly outgoing?:
    | Partial<CreateFetchOptions>
    | ((backend: RecordingServer) => Partial<CreateFetchOptions>)
}

/**
 * Whether this Node's own fetch can use a dispatcher of undici 8. On Node 22 and 24 it is the fetch of undici 6 and 7,
 * which gives dispatchers the older handlers; undici 7 takes these, undici 8 does not.
 */
export const ownFetchTakesUndici8: boolean = Number.parseInt(process.versions.undici ?? '', 10) >= 8

export const answerOk: AnswerRequest = (_, response) => response.end('ok')

/**
 * A broker with a token in two headers, a backend, a place that must get nothing, and a fetch with connections of its
 * own. At the end nothing may be left: a response that nobody finished keeps its connection, and fails the test.
 */
export async function startOutgoingCalls({
  answer = answerOk,
  broker,
  outgoing,
}: Settings = {}): Promise<OutgoingCalls> {
  const unhandled: unknown[] = []
  const keep = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', keep)
  const running = await startBrokerWithDex({
    client: orders,
    tokenHeaders: { access_token: 'x-access-token' },
    ...broker,
  })
  const backend = await startRecordingServer(answer)
  const elsewhere = await startRecordingServer(answerOk)
  // Only the one that is used: each replaces the process's global dispatcher, and Node 22 has trouble with that of undici 8.
  const { Agent } = ownFetchTakesUndici8
    ? await import('undici')
    : ((await import('undici-7')) as unknown as typeof import('undici'))
  const agent = new Agent()
  const options = typeof outgoing === 'function' ? outgoing(backend) : outgoing
  const call = createFetch(running.broker, {
    allow: [backend.url],
    fetch: (input, init) => fetch(input, { ...init, dispatcher: agent as never }),
    ...options,
  })
  return {
    ...running,
    backend,
    elsewhere,
    agent,
    call,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await closeWithoutRest(agent)
      await backend[Symbol.asyncDispose]()
      await elsewhere[Symbol.asyncDispose]()
      await new Promise(resolve => setImmediate(resolve))
      process.off('unhandledRejection', keep)
      expect(unhandled).toEqual([])
    },
  }
}

/** Closes what should have no request under way any more. */
export async function closeWithoutRest(agent: {
  close(): Promise<void>
  destroy(): Promise<void>
}): Promise<void> {
  try {
    await within(agent.close(), 'the end of every request of the agent')
  } finally {
    await agent.destroy()
  }
}

/** What a server received, as method and path. */
export function linesOf(server: RecordingServer): string[] {
  return server.requests.map(({ method, path }) => `${method} ${path}`)
}

/** The tokens that arrived, each in both of its headers; `undefined` for a request without. */
export function tokensOf(server: RecordingServer): (string | undefined)[] {
  return server.requests.map(({ headers }) => {
    const token = headers['x-access-token'] as string | undefined
    expect(headers.authorization).toBe(token === undefined ? undefined : `Bearer ${token}`)
    return token
  })
}

/** Answers 401 until `good` says that a token is acceptable. */
export function answerOnly(good: (token: string) => boolean, challenge?: string): AnswerRequest {
  return ({ headers }, response) => {
    if (good(String(headers['x-access-token']))) {
      response.end('ok')
      return
    }
    response.writeHead(401, challenge === undefined ? {} : { 'www-authenticate': challenge }).end('not you')
  }
}

/** Accepts every token but the first one that it sees. */
export function refuseFirstToken(challenge?: string): AnswerRequest {
  let first: string | undefined
  return answerOnly(token => {
    first ??= token
    return token !== first
  }, challenge)
}
