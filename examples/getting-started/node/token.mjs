import { TokenBroker } from '@broker/core'

const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  client: { clientId: 'reports', clientSecret: 'reports-secret', audiences: ['orders'] },
})

const first = await broker.getToken()
const second = await broker.getToken()

console.log('type:', first.tokenType)
console.log('headers:', Object.keys(first.headers))
console.log('the same token:', first === second)
await broker.close()
