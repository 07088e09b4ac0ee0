import { createFetch, TokenBroker } from '@broker/core'

const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  client: { clientId: 'reports', clientSecret: 'reports-secret', audiences: ['orders'] },
})
// A fetch that puts the token on calls to the places in `allow`, and on no others.
const callOrders = createFetch(broker, { allow: ['http://127.0.0.1:3001'] })

const withToken = await callOrders('http://127.0.0.1:3001/orders')
console.log(withToken.status, await withToken.text())

const withoutToken = await fetch('http://127.0.0.1:3001/orders')
console.log(withoutToken.status, withoutToken.headers.get('www-authenticate'))
await broker.close()
