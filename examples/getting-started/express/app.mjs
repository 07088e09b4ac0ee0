import { TokenBroker } from '@broker/core'
import { attachToken, brokerErrorHandler, createRequestFetch } from '@broker/express-adapter'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'

const ordersUrl = 'http://127.0.0.1:3001'
const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  client: { clientId: 'reports', clientSecret: 'reports-secret', audiences: ['orders'] },
})
const requestFetch = createRequestFetch(broker, { allow: [ordersUrl] })

const app = express()
// A route that calls the API. The call ends when the caller of this request leaves.
app.get('/report', async (request, response) => {
  const orders = await requestFetch(request)(`${ordersUrl}/orders`)
  response.status(orders.status).json({ report: await orders.json() })
})
// A proxy: /api/orders goes to the API as /orders, with the token.
app.use('/api', attachToken(broker), createProxyMiddleware({ target: ordersUrl, changeOrigin: true }))
app.use(brokerErrorHandler())
app.listen(3000, '127.0.0.1', error => {
  if (error) throw error
  console.log('app: http://127.0.0.1:3000')
})
