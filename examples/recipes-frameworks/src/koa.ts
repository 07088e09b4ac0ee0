// A service on Koa: it lets in callers with a JWT from Dex, and calls an API with its own token.
import { type AuthenticatedCaller, BrokerError, createFetch, refusalOf, TokenBroker } from '@broker/core'
import Router from '@koa/router'
import Koa from 'koa'

const { DEX_ISSUER, CLIENT_SECRET, ORDERS_URL = 'http://127.0.0.1:3001', PORT = '3000' } = process.env

const broker = new TokenBroker({
  issuer: DEX_ISSUER, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] },
  gate: { audience: 'reports' },
  logger: console,
})
const callOrders = createFetch(broker, { allow: [ORDERS_URL] })

interface State {
  caller: AuthenticatedCaller
  /** Aborts when the caller leaves. */
  signal: AbortSignal
}
const app = new Koa<State>()

app.use(async (context, next) => {
  const leaving = new AbortController()
  context.res.once('close', () => leaving.abort())
  context.state.signal = leaving.signal
  try {
    context.state.caller = await broker.authenticate({ headers: context.req.rawHeaders })
    await next()
  } catch (error) {
    if (leaving.signal.aborted) return
    if (!BrokerError.is(error)) throw error
    const { status, headers, body } = refusalOf(error)
    context.status = status
    context.set(headers)
    context.body = body
  }
})

const router = new Router<State>()
router.get('/orders', async context => {
  const { caller, signal } = context.state
  if (!caller.groups.includes('sales')) throw new BrokerError('forbidden', 'only sales may read orders')
  const orders = await callOrders(`${ORDERS_URL}/orders`, { signal })
  if (!orders.ok) throw new Error(`orders answered with status ${orders.status}`)
  context.body = await orders.json()
})
app.use(router.routes())

const server = app.listen(Number(PORT))
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => void broker.close())) // after the last answer
}
