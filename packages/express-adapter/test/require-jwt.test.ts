import { connect } from 'node:net'
import { BrokerError, TokenBroker } from '@broker/core'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import { listening } from '@broker/testing'
import type { Express, Response } from 'express'
import { describe, expect, test } from 'vitest'
import { authOf, brokerErrorHandler, requireJwt } from '../src/index.ts'
import { expressVersions } from './express-versions.ts'

describe.each(expressVersions)('requireJwt in %s', (_version, express) => {
  function gatedApp(dex: DevDex): { app: Express; broker: TokenBroker; refused: unknown[] } {
    const broker = new TokenBroker({
      tokenEndpoint: dex.tokenEndpoint,
      gate: { jwksUri: dex.jwksUri, issuer: dex.issuer, audience: 'orders' },
    })
    const refused: unknown[] = []
    const app = express()
    app.get('/orders', requireJwt(broker), (request, response) => {
      const { claims, token } = authOf(request)
      response.json({ subject: claims['sub'], token })
    })
    app.get('/open', (request, response) => void response.json(authOf(request)))
    app.use((error: unknown, _request: unknown, _response: unknown, next: (error: unknown) => void) => {
      refused.push(error)
      next(error)
    })
    app.use(brokerErrorHandler())
    app.use((_error: unknown, _request: unknown, response: Response, _next: unknown) => {
      response.status(500).send('the next error handler')
    })
    return { app, broker, refused }
  }

  const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

  test('a caller with an acceptable JWT passes, and the handler finds its claims and the JWT', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'orders', sub: 'ada', exp: inAnHour() })
    const response = await fetch(`${server.url}/orders`, { headers: { authorization: `Bearer ${jwt}` } })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ subject: 'ada', token: jwt })
  })

  test('a caller without a JWT gets 401 with a challenge that names no error', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    const response = await fetch(`${server.url}/orders`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="dex-token-broker"')
    expect(await response.json()).toEqual({ error: 'invalid_token', error_description: 'a JWT is required' })
  })

  test('the challenge names the realm of the application', async () => {
    const app = express()
    app.use((_request, _response, next) =>
      next(new BrokerError('missing_credentials', 'x-client-id is missing')),
    )
    app.use(brokerErrorHandler({ realm: 'the "orders" API' }))
    await using server = await listening(app)
    const response = await fetch(`${server.url}/orders`)
    expect(response.headers.get('www-authenticate')).toBe(String.raw`Bearer realm="the \"orders\" API"`)
    expect(() => brokerErrorHandler({ realm: 'a\r\nb' })).toThrow(/^realm must be/)
  })

  test('a JWT for another audience gets 401 invalid_token, and no key is fetched for it', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'another', exp: inAnHour() })
    const response = await fetch(`${server.url}/orders`, { headers: { authorization: `Bearer ${jwt}` } })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(dex.counts.keysRequests).toBe(0)
  })

  test('an authorization header on two lines gets 400', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'orders', exp: inAnHour() })
    const line = `authorization: Bearer ${jwt}\r\n`
    const answer = await new Promise<string>(resolve => {
      const socket = connect(server.port, '127.0.0.1')
      socket.once('data', data => {
        resolve(data.toString())
        socket.destroy()
      })
      socket.write(`GET /orders HTTP/1.1\r\nhost: x\r\n${line}${line}\r\n`)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('an issuer that cannot be reached is answered with 503 and not with 401', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    dex.setFault('keys', { kind: 'html', status: 500 })
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'orders', exp: inAnHour() })
    const response = await fetch(`${server.url}/orders`, { headers: { authorization: `Bearer ${jwt}` } })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ error: 'jwks_unavailable' })
  })

  test('a client that leaves while keys are fetched reaches no error handler', async () => {
    await using dex = await startDevDex()
    const { app, broker, refused } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    dex.setFault('keys', { kind: 'hang' })
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'orders', exp: inAnHour() })
    const leaving = new AbortController()
    const request = fetch(`${server.url}/orders`, { headers: { authorization: jwt }, signal: leaving.signal })
    await expect.poll(() => dex.counts.keysRequests).toBe(1)
    leaving.abort()
    await expect(request).rejects.toThrow()
    // A request that is answered after the other one left shows that the app has seen it leave.
    await fetch(`${server.url}/orders`)
    expect(refused).toHaveLength(1)
  })

  test('an error that is not of the broker goes on to the next error handler', async () => {
    await using dex = await startDevDex()
    const { app, broker } = gatedApp(dex)
    await using _ = broker
    await using server = await listening(app)
    const response = await fetch(`${server.url}/open`)
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('the next error handler')
  })
})
