import { BrokerError, TokenBroker } from '@broker/core'

const broker = new TokenBroker({
  issuer: 'http://127.0.0.1:5600/dex',
  client: { clientId: 'reports', clientSecret: 'not the secret' },
})

try {
  await broker.getToken()
} catch (error) {
  if (!BrokerError.is(error)) throw error
  console.log('code:', error.code)
  console.log('transient:', error.transient)
  console.log('Dex said:', error.oauthError)
  console.log('hint:', error.hint?.problem, error.hint?.option)
}
await broker.close()
