// A service on Fastify: it lets in callers with a JWT from Dex, and calls an API with its own token.
import { type AuthenticatedCaller, BrokerError, createFetch, refusalOf, TokenBroker } from '@broker/core'
import fastify from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    caller: AuthenticatedCaller
  }
}

const { DEX_ISSUER, CLIENT_SECRET, ORDERS_URL = 'http://127.0.0.1:3001', PORT = '3000' } = process.env

const app = fastify({ logger: true })

const broker = new TokenBroker({
  issuer: DEX_ISSUER, // https://dex.example.com/dex
  client: { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] },
  gate: { audience: 'reports' },
  logger: app.log,
})
const callOrders = createFetch(broker, { allow: [ORDERS_URL] })

app.decorateRequest('caller')
app.addHook('onRequest', async request => {
  request.caller = await broker.authenticate({ headers: request.raw.rawHeaders })
})

app.setErrorHandler((error, request, reply) => {
  if (request.signal.aborted) return reply.hijack() // the caller has left
  if (!BrokerError.is(error)) throw error
  const { status, headers, body } = refusalOf(error)
  return reply.code(status).headers(headers).send(body)
})

app.get('/orders', async request => {
  if (!request.caller.groups.includes('sales'))
    throw new BrokerError('forbidden', 'only sales may read orders')
  const orders = await callOrders(`${ORDERS_URL}/orders`, { signal: request.signal })
  if (!orders.ok) throw new Error(`orders answered with status ${orders.status}`)
  return orders.json()
})

app.addHook('preClose', async () => {
  app.server.keepAliveTimeout = 1 // else idle connections of callers delay the end by 72 s
})
app.addHook('onClose', () => broker.close()) // after the last answer
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())

await app.listen({ port: Number(PORT) })
