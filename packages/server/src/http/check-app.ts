import type { AllowVerdict, Broker, CheckRequest, Verdict } from '@broker/core'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { LinearRouter } from 'hono/router/linear-router'
import { Checks, type VerdictListener } from '../checks.ts'
import { waitingTimeMs } from '../waiting-time.ts'

/** What a Node listener hands to the app; elsewhere there is nothing. */
export interface CheckEnvironment {
  Bindings: Partial<HttpBindings>
}

/** The header by which Envoy learns what to remove from the request; it reads it on 200 only, and removes last. */
const removeHeader = 'x-envoy-auth-headers-to-remove'
/** How long Envoy waits for this check, in milliseconds. */
const expectedTimeoutHeader = 'x-envoy-expected-rq-timeout-ms'
/** Nobody reads this answer: the client has left. */
const clientClosedRequest = 499

/**
 * A Hono app that answers every request, whatever its method and path, as an Envoy ext_authz check over HTTP: 200 with
 * the headers to set lets the request pass, anything else does not.
 */
export function createCheckApp(
  broker: Pick<Broker, 'decide'>,
  onVerdict: VerdictListener = () => {},
): Hono<CheckEnvironment> {
  return checkApp(new Checks(broker, onVerdict))
}

/** The same for checks that are counted and logged already. */
export function checkApp(checks: Checks): Hono<CheckEnvironment> {
  // The path of a check is the client's and says nothing here: there is one route, and no URL to take apart.
  const app = new Hono<CheckEnvironment>({ router: new LinearRouter(), getPath: () => '/' })
  app.all('*', context => {
    const request = new HonoCheckRequest(context)
    const verdict = checks.decide(request)
    return verdict instanceof Promise ? answerLater(verdict, request) : answer(verdict)
  })
  return app
}

/** A check as Hono has it; its signal and its timeout are made only for a check that has to wait. */
class HonoCheckRequest implements CheckRequest {
  readonly #context: Context<CheckEnvironment>
  readonly headers: readonly string[]

  constructor(context: Context<CheckEnvironment>) {
    this.#context = context
    this.headers = context.env?.incoming?.rawHeaders ?? headerLines(context.req.raw.headers)
  }

  get timeoutMs(): number | undefined {
    const values = this.headers.filter(
      (_, index) => this.headers[index - 1]?.toLowerCase() === expectedTimeoutHeader && index % 2 === 1,
    )
    // Twice is as good as never.
    return values.length === 1 ? waitingTimeMs(values[0] ?? '') : undefined
  }

  get signal(): AbortSignal {
    return this.#context.req.raw.signal
  }
}

async function answerLater(waiting: Promise<Verdict>, request: HonoCheckRequest): Promise<Response> {
  try {
    return answer(await waiting)
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: clientClosedRequest })
    throw error
  }
}

function answer(verdict: Verdict): Response {
  if (verdict.outcome === 'allow') return new Response(null, { status: 200, headers: allowHeaders(verdict) })
  return new Response(verdict.body, { status: verdict.status, headers: verdict.headers })
}

/** The broker gives the same verdict object again and again, so its headers are written once. */
const headersOfVerdict = new WeakMap<AllowVerdict, Record<string, string>>()

function allowHeaders(verdict: AllowVerdict): Record<string, string> {
  const known = headersOfVerdict.get(verdict)
  if (known !== undefined) return known
  const headers = { ...verdict.set, 'cache-control': 'no-store', 'content-length': '0' }
  if (verdict.remove.length > 0) Object.assign(headers, { [removeHeader]: verdict.remove.join(',') })
  headersOfVerdict.set(verdict, headers)
  return headers
}

/** Where there is no Node request behind the app, a repeated header arrives joined and cannot be told apart. */
function headerLines(headers: Headers): string[] {
  return [...headers].flat()
}
