import { TokenBroker } from '@broker/core'
import { authOf, brokerErrorHandler, requireClaims, requireJwt } from '@broker/express-adapter'
import express from 'express'

// `gate` says which JWTs are acceptable: signed by Dex, and for the audience `orders`.
const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  gate: { audience: 'orders' },
})
const isReports = requireClaims(claims => claims['azp'] === 'reports')

const app = express()
app.use(requireJwt(broker))
app.get('/orders', isReports, (request, response) => {
  response.json({ orders: 3, askedBy: authOf(request).claims['azp'] })
})
app.use(brokerErrorHandler())
app.listen(3001, '127.0.0.1', error => {
  if (error) throw error
  console.log('orders API: http://127.0.0.1:3001')
})
