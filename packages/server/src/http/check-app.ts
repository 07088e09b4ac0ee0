import type { IncomingMessage } from 'node:http'
import type { AllowVerdict, Broker, CheckFacts, CheckRequest, Verdict } from '@broker/core'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { LinearRouter } from 'hono/router/linear-router'
import { Checks, type VerdictListener } from '../checks.ts'
import { KeptWithVerdict } from '../kept-with-verdict.ts'
import { waitingTimeMs } from '../waiting-time.ts'
import { clientTarget } from './raw-target.ts'

/** The target in the request line, before the listener replaced it. A property, because a map would cost every check. */
export const rawTarget: unique symbol = Symbol('raw target')

export interface CheckMessage extends IncomingMessage {
  [rawTarget]?: string | undefined
}

/** The bindings that a Node listener passes to the app; absent elsewhere. */
export interface CheckEnvironment {
  Bindings: Partial<HttpBindings>
}

/** Header with the names that Envoy removes from the request, after it has set the others; read on 200 only. */
const removeHeader = 'x-envoy-auth-headers-to-remove'
/** Header with Envoy's timeout for this check, in milliseconds. */
const expectedTimeoutHeader = 'x-envoy-expected-rq-timeout-ms'
/** nginx's status for a client that closed the connection; nobody reads it. */
const clientClosedRequest = 499

/**
 * Creates a Hono app that answers every request as an Envoy ext_authz check over HTTP, whatever its method and path. A 200
 * with the headers to set lets the request pass; any other status refuses it.
 *
 * Rules of the broker do not know the path of the client's request, because a framework that passes requests to this app has
 * changed it already; `startServer` has its own listener, which keeps it.
 */
export function createCheckApp(
  broker: Pick<Broker, 'decide'>,
  onVerdict: VerdictListener = () => {},
): Hono<CheckEnvironment> {
  return checkApp(new Checks(broker, 'http', { onVerdict, wantsDetails: false }))
}

/** Creates the same app for checks that are already counted and logged. */
export function checkApp(checks: Checks): Hono<CheckEnvironment> {
  // The path belongs to the client and is ignored: there is one route, and no URL to parse.
  const app = new Hono<CheckEnvironment>({ router: new LinearRouter(), getPath: () => '/' })
  app.all('*', context => {
    const request = new HonoCheckRequest(context, checks)
    const verdict = checks.decide(request)
    return verdict instanceof Promise ? answerLater(verdict, request) : answer(verdict)
  })
  return app
}

/** A check in Hono's form. Its signal and timeout are created only for a check that has to wait. */
class HonoCheckRequest implements CheckRequest {
  readonly #context: Context<CheckEnvironment>
  readonly headers: readonly string[]
  readonly maskedPath = true
  readonly facts: CheckFacts | undefined
  readonly #checks: Checks

  constructor(context: Context<CheckEnvironment>, checks: Checks) {
    this.#checks = checks
    this.facts = checks.newFacts()
    this.#context = context
    this.headers = context.env?.incoming?.rawHeaders ?? headerLines(context.req.raw.headers)
  }

  get method(): string {
    // The framework's own request object is made at its first use.
    return this.#context.env?.incoming?.method ?? this.#context.req.method
  }

  get path(): string | undefined {
    const target = (this.#context.env?.incoming as CheckMessage | undefined)?.[rawTarget]
    return target === undefined ? undefined : clientTarget(target)
  }

  get logFields(): Readonly<Record<string, string>> {
    return this.#checks.logFieldsOf(this)
  }

  get timeoutMs(): number | undefined {
    const { headers } = this
    let value: string | undefined
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (headers[index]?.toLowerCase() !== expectedTimeoutHeader) continue
      // A repeated header is ambiguous, and ignored.
      if (value !== undefined) return undefined
      value = headers[index + 1]
    }
    return value === undefined ? undefined : waitingTimeMs(value)
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

/** The broker returns the same verdict object again and again, so its headers are written once. */
const writtenHeaders = new KeptWithVerdict<Record<string, string>>()

function allowHeaders(verdict: AllowVerdict): Record<string, string> {
  const known = writtenHeaders.of(verdict)
  if (known !== undefined) return known
  const headers = { ...verdict.set, 'cache-control': 'no-store', 'content-length': '0' }
  if (verdict.remove.length > 0) Object.assign(headers, { [removeHeader]: verdict.remove.join(',') })
  writtenHeaders.keep(verdict, headers)
  return headers
}

/** Without a Node request, a repeated header arrives joined, and the parts cannot be distinguished. */
function headerLines(headers: Headers): string[] {
  return [...headers].flat()
}
