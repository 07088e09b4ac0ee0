import type { TokenBroker, Verdict } from '@broker/core'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'

/** Called with each verdict, for metrics and the log; must not throw. */
export type VerdictListener = (verdict: Verdict) => void

/** The header by which Envoy learns what to remove from the request; it reads it on 200 only, and removes last. */
const removeHeader = 'x-envoy-auth-headers-to-remove'
/** Nobody reads this answer: the client has left. */
const clientClosedRequest = 499

/**
 * A Hono app that answers every request, whatever its method and path, as an Envoy ext_authz check over HTTP: 200 with
 * the headers to set lets the request pass, anything else does not.
 */
export function createCheckApp(
  broker: TokenBroker,
  onVerdict: VerdictListener = () => {},
): Hono<{ Bindings: Partial<HttpBindings> }> {
  const app = new Hono<{ Bindings: Partial<HttpBindings> }>()
  app.all('*', async context => {
    const { raw } = context.req
    try {
      const verdict = await broker.check({
        headers: context.env?.incoming?.rawHeaders ?? headerLines(raw.headers),
        // Made only for a check that has to wait.
        get signal() {
          return raw.signal
        },
      })
      onVerdict(verdict)
      return answer(verdict)
    } catch (error) {
      if (raw.signal.aborted) return new Response(null, { status: clientClosedRequest })
      throw error
    }
  })
  return app
}

function answer(verdict: Verdict): Response {
  if (verdict.outcome !== 'allow') {
    return new Response(verdict.body, { status: verdict.status, headers: verdict.headers })
  }
  const headers: Record<string, string> = {
    ...verdict.set,
    'cache-control': 'no-store',
    'content-length': '0',
  }
  if (verdict.remove.length > 0) headers[removeHeader] = verdict.remove.join(',')
  return new Response(null, { status: 200, headers })
}

/** Where there is no Node request behind the app, a repeated header arrives joined and cannot be told apart. */
function headerLines(headers: Headers): string[] {
  return [...headers].flat()
}
