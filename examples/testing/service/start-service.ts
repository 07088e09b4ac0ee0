import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { TokenBroker } from '@broker/core'
import { startDevDex } from '@broker/dev-dex'
import { requireJwt } from '@broker/express-adapter'
import express, { type Express } from 'express'
import { createApp } from './app.ts'

export async function startService() {
  const orders = { id: 'orders', secret: 'any', trustedPeers: ['reports'] }
  const dex = await startDevDex({ clients: [{ id: 'reports', secret: 'any' }, orders] })
  const client = { clientId: 'reports', clientSecret: 'any', audiences: ['orders'] }
  const broker = new TokenBroker({ issuer: dex.issuer, client, gate: { audience: 'orders' } })
  const protectedApi = express().get('/orders', requireJwt(broker), (_, response) => void response.json(3))
  const api = await listen(protectedApi)
  const app = await listen(createApp(broker, api.url))
  const close = () => Promise.all([app, api, broker, dex].map(part => part[Symbol.asyncDispose]()))
  return {
    dex,
    url: app.url,
    ordersUrl: `${api.url}/orders`,
    [Symbol.asyncDispose]: async () => void (await close()),
  }
}

export async function listen(app: Express) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
