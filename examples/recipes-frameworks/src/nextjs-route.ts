// app/api/orders/route.ts of a Next.js app: it lets in callers with a JWT from Dex, and calls an API with its own token.
import {
  BrokerError,
  createFetch,
  headerLines,
  refusalOf,
  TokenBroker,
  type TokenBrokerOptions,
} from '@broker/core'

const { ORDERS_URL = 'http://127.0.0.1:3001' } = process.env

// One broker for the process, although Next evaluates this file again after each edit, and once for each bundle.
const key: unique symbol = Symbol.for('orders-app.broker')
const kept = globalThis as { [key]?: TokenBroker }
let current: TokenBroker | undefined

/** Not at the top of the file, because `next build` evaluates it without the environment of the server. */
function ownBroker(): TokenBroker {
  if (current !== undefined) return current
  const options: TokenBrokerOptions = {
    issuer: process.env.DEX_ISSUER, // https://dex.example.com/dex
    client: { clientId: 'reports', clientSecret: process.env.CLIENT_SECRET, audiences: ['orders'] },
    gate: { audience: 'reports' },
    logger: console,
  }
  kept[key]?.reconfigure(options) // keeps the tokens, and takes over what was edited
  kept[key] ??= new TokenBroker(options)
  current = kept[key]
  return current
}

export async function GET(request: Request): Promise<Response> {
  try {
    const broker = ownBroker()
    const { groups } = await broker.authenticate({ headers: headerLines(request.headers) })
    if (!groups.includes('sales')) throw new BrokerError('forbidden', 'only sales may read orders')
    const callOrders = createFetch(broker, { allow: [ORDERS_URL] })
    const orders = await callOrders(`${ORDERS_URL}/orders`, { signal: request.signal })
    if (!orders.ok) throw new Error(`orders answered with status ${orders.status}`)
    return Response.json(await orders.json())
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 }) // the caller has left
    if (!BrokerError.is(error)) throw error
    const { status, headers, body } = refusalOf(error)
    return new Response(body, { status, headers })
  }
}
