import { createServer } from 'node:http'
import { BrokerError, refusalOf, TokenBroker } from '@broker/core'

// `gate` says which JWTs are acceptable: signed by Dex, and for the audience `orders`.
const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  gate: { audience: 'orders' },
})

const server = createServer(async (request, response) => {
  try {
    const { claims } = await broker.authenticate({ headers: request.rawHeaders })
    response.end(JSON.stringify({ orders: 3, askedBy: claims['azp'] }))
  } catch (error) {
    if (!BrokerError.is(error)) console.error(error)
    const { status, headers, body } = refusalOf(error)
    response.writeHead(status, headers).end(body)
  }
})
server.listen(3001, '127.0.0.1', () => console.log('orders API: http://127.0.0.1:3001'))
