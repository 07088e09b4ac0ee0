// Not a test: a process that closes its broker while clients wait for a token and others have left, and tells what is
// left of it when it comes to its end.
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { TokenBroker } from '@broker/core'
import { listening } from '@broker/testing'
import express from 'express'
import { attachToken, brokerErrorHandler, createRequestFetch } from '../src/index.ts'

let unhandled = 0
process.on('unhandledRejection', () => unhandled++)

const asked = Promise.withResolvers<void>()
const dex = createServer(() => asked.resolve())
const { port } = await new Promise<{ port: number }>(resolve => {
  dex.listen(0, '127.0.0.1', () => resolve(dex.address() as { port: number }))
})
const broker = new TokenBroker({
  tokenEndpoint: `http://127.0.0.1:${port}/token`,
  client: { clientId: 'portal', clientSecret: 'portal-secret' },
})
const requestFetch = createRequestFetch(broker, { allow: ['http://127.0.0.1:9'] })
const paths = ['/attached', '/called']
let arrived = 0
const all = Promise.withResolvers<void>()
const left = Promise.withResolvers<void>()
let gone = 0

const app = express()
app.use((_request, response, next) => {
  if (++arrived === 2 * paths.length) all.resolve()
  response.once('close', () => {
    if (!response.writableFinished && ++gone === paths.length) left.resolve()
  })
  next()
})
app.get('/attached', attachToken(broker), (_request, response) => void response.send('attached'))
app.get('/called', async (request, response) => {
  response.send(await (await requestFetch(request)('http://127.0.0.1:9')).text())
})
app.use(brokerErrorHandler())
const server = await listening(app)

const staying = paths.map(path => fetch(server.url + path, { headers: { connection: 'close' } }))
const leaving = paths.map(path => {
  const socket = connect(server.port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return socket
})
await Promise.all([all.promise, asked.promise])
for (const socket of leaving) socket.destroy()
await left.promise
await broker.close()
const answers = await Promise.all(staying)
await Promise.all(answers.map(answer => answer.text()))
await server[Symbol.asyncDispose]()
dex.close()
dex.closeAllConnections()

process.once('beforeExit', () => {
  // The pipes of standard output are no concern of ours.
  const open = process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap')
  console.log(JSON.stringify({ statuses: answers.map(({ status }) => status), unhandled, open }))
})
