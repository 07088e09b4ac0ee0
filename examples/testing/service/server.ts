import { TokenBroker } from '@broker/core'
import { createApp } from './app.ts'

const { DEX_ISSUER = '', CLIENT_SECRET = '', ORDERS_URL = '' } = process.env
const client = { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] }
createApp(new TokenBroker({ issuer: DEX_ISSUER, client }), ORDERS_URL).listen(3000)
