import type { TokenProvider } from '@broker/core'
import { brokerErrorHandler, createRequestFetch } from '@broker/express-adapter'
import express, { type Express } from 'express'

export function createApp(tokens: TokenProvider, ordersUrl: string): Express {
  const requestFetch = createRequestFetch(tokens, { allow: [ordersUrl] })
  const app = express()
  app.get('/report', async (request, response) => {
    const orders = await requestFetch(request)(`${ordersUrl}/orders`)
    response.status(orders.status).json({ report: await orders.json() })
  })
  app.use(brokerErrorHandler())
  return app
}
