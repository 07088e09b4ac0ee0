// A service on Hono: it lets in callers with a JWT from Dex, and calls an API with its own token.
import {
  type AuthenticatedCaller,
  BrokerError,
  createFetch,
  headerLines,
  refusalOf,
  TokenBroker,
} from '@broker/core'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const { DEX_ISSUER, CLIENT_SECRET, ORDERS_URL = 'http://127.0.0.1:3001', PORT = '3000' } = process.env

const broker = new TokenBroker({
  issuer: DEX_ISSUER, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] },
  gate: { audience: 'reports' },
  logger: console,
})
const callOrders = createFetch(broker, { allow: [ORDERS_URL] })

const app = new Hono<{ Variables: { caller: AuthenticatedCaller } }>()

app.use(async (context, next) => {
  context.set('caller', await broker.authenticate({ headers: headerLines(context.req.raw.headers) }))
  await next()
})

app.onError((error, context) => {
  if (!BrokerError.is(error) && !context.req.raw.signal.aborted) console.error(error)
  const { status, headers, body } = refusalOf(error) // 500 without details for any other error
  return new Response(body, { status, headers })
})

app.get('/orders', async context => {
  const { groups } = context.var.caller
  if (!groups.includes('sales')) throw new BrokerError('forbidden', 'only sales may read orders')
  const orders = await callOrders(`${ORDERS_URL}/orders`, { signal: context.req.raw.signal })
  if (!orders.ok) throw new Error(`orders answered with status ${orders.status}`)
  return context.json(await orders.json())
})

const server = serve({ fetch: app.fetch, port: Number(PORT) })
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => void broker.close())) // after the last answer
}
