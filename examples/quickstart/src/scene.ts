import type { Backend, BackendReport } from './backend.ts'
import { type Call, type CallAnswer, call } from './call.ts'
import { caller } from './dex.ts'
import { BrokenPromise, expectSame } from './expectation.ts'
import type { Gateway } from './gateway.ts'
import { clientIdHeader, clientSecretHeader, scopeHeader } from './header-names.ts'

/** What the steps look at. */
export interface Scene {
  readonly gateway: Gateway
  readonly backend: Pick<Backend, 'requests'>
  /** How many token requests Dex has got so far. */
  countTokenRequests(): Promise<number>
}

/** Calls that were made at the same time, and what they caused. */
export interface Visit {
  readonly answers: readonly CallAnswer[]
  readonly tokenRequests: number
  readonly backendRequests: number
  readonly milliseconds: number
}

/** Makes a call through the gateway, or several at once, and counts what it causes. */
export async function visit(
  { gateway, backend, countTokenRequests }: Scene,
  ...calls: Call[]
): Promise<Visit> {
  const tokenRequests = await countTokenRequests()
  const backendRequests = backend.requests
  const start = performance.now()
  const answers = await Promise.all(calls.map(made => call(gateway.url, made)))
  const milliseconds = performance.now() - start
  return {
    answers,
    tokenRequests: (await countTokenRequests()) - tokenRequests,
    backendRequests: backend.requests - backendRequests,
    milliseconds,
  }
}

/** The headers of a caller with these credentials. */
export function credentials({ secret = caller.secret, scope = '' } = {}): Readonly<Record<string, string>> {
  return {
    [clientIdHeader]: caller.id,
    [clientSecretHeader]: secret,
    ...(scope !== '' && { [scopeHeader]: scope }),
  }
}

/** What the backend saw of a visit of one call, which has to be let through. */
export function reportOf({ answers: [answer] }: Visit): BackendReport {
  if (answer?.status !== 200) {
    const actual = `${answer?.status} ${answer?.body.replaceAll(/\s+/g, ' ')}`
    throw new BrokenPromise('answer', '200 and the report of the backend', actual.trim())
  }
  return JSON.parse(answer.body)
}

/** Every call has to be refused with 401 and a challenge, and the backend must not hear of them; the challenge. */
export function expectRefusal({ answers, backendRequests }: Visit): string {
  const challenges = answers.map(({ headers }) => headers['www-authenticate'])
  expectSame('statuses', [...new Set(answers.map(({ status }) => status))], [401])
  expectSame('answers without WWW-Authenticate', challenges.filter(text => !text).length, 0)
  expectSame('requests that reached the backend', backendRequests, 0)
  return challenges[0] ?? ''
}
