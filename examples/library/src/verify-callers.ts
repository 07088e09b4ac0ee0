// A Node server without a framework that lets in only callers with a JWT; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startDevDex } from '@broker/dev-dex'

await using dex = await startDevDex()
const { issuer } = dex

// #region server
import { createServer } from 'node:http'
import { refusalOf, TokenBroker } from '@broker/core'

const broker = new TokenBroker({ issuer, gate: { audience: 'orders' } })

const server = createServer(async (request, response) => {
  try {
    const { subject } = await broker.authenticate({ headers: request.rawHeaders })
    response.end(`hello ${subject}`)
  } catch (error) {
    const { status, headers, body } = refusalOf(error)
    response.writeHead(status, headers).end(body)
  }
})
// #endregion server
await once(server.listen(0, '127.0.0.1'), 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const exp = Math.floor(Date.now() / 1000) + 3600
const jwt = dex.signJwt({ iss: issuer, aud: 'orders', sub: 'ada', exp })
const answer = await fetch(url, { headers: { authorization: `Bearer ${jwt}` } })
assert.equal(await answer.text(), 'hello ada')
assert.equal((await fetch(url)).status, 401)

// #region fetch-handler
import { headerLines } from '@broker/core'

async function handle(request: Request): Promise<Response> {
  try {
    const { subject } = await broker.authenticate({ headers: headerLines(request.headers) })
    return Response.json({ hello: subject })
  } catch (error) {
    const { status, headers, body } = refusalOf(error)
    return new Response(body, { status, headers })
  }
}
// #endregion fetch-handler
const handled = await handle(new Request(url, { headers: { authorization: `Bearer ${jwt}` } }))
assert.deepEqual(await handled.json(), { hello: 'ada' })
assert.equal((await handle(new Request(url))).status, 401)
assert.equal((await broker.verify(jwt)).subject, 'ada')
console.log('ada is let in, a request without a JWT gets a 401')

await broker.close()
server.close()
server.closeAllConnections()
