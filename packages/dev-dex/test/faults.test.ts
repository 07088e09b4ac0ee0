import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevDex, type Fault, startDevDex } from '../src/index.ts'
import { basic, sendRequest } from './send-request.ts'

const tokenRequest = {
  headers: { authorization: basic('ci', 's3cr3t') },
  body: { grant_type: 'client_credentials' },
}

/** Sends a request and gives the response as soon as its head is there. */
async function openResponse(url: string): Promise<IncomingMessage> {
  const outgoing = request(url, { agent: false }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

describe('a fault', () => {
  let dex: DevDex
  const askToken = () => sendRequest(dex.tokenEndpoint, tokenRequest)

  beforeEach(async () => {
    dex = await startDevDex({ clients: [{ id: 'ci', secret: 's3cr3t' }] })
  })
  afterEach(() => dex.close())

  it('hits its endpoint only, until it is cleared', async () => {
    dex.setFault('token', { kind: 'html' })
    expect(await askToken()).toMatchObject({
      status: 500,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: expect.stringContaining('<html>'),
    })
    expect((await sendRequest(dex.jwksUri)).status).toBe(200)
    expect((await sendRequest(dex.discoveryUri)).status).toBe(200)
    dex.setFault('token', undefined)
    expect((await askToken()).status).toBe(200)
    dex.setFault('keys', { kind: 'html', status: 503 })
    dex.setFault('discovery', { kind: 'html', status: 502 })
    expect((await sendRequest(dex.jwksUri)).status).toBe(503)
    expect((await sendRequest(dex.discoveryUri)).status).toBe(502)
    dex.clearFaults()
    expect((await sendRequest(dex.jwksUri)).status).toBe(200)
    expect(dex.counts).toMatchObject({
      tokenRequests: 2,
      keysRequests: 3,
      discoveryRequests: 2,
      tokensIssued: 1,
    })
  })

  it('with a number of times ends by itself', async () => {
    dex.setFault('token', { kind: 'html', times: 2 })
    const statuses = [await askToken(), await askToken(), await askToken()].map(({ status }) => status)
    expect(statuses).toEqual([500, 500, 200])
  })

  it('slow answers rightly, after its delay', async () => {
    dex.setFault('token', { kind: 'slow', delayMs: 60 })
    const start = performance.now()
    expect((await askToken()).status).toBe(200)
    // Timers may fire a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(58)
  })

  it.each<Fault>([{ kind: 'hang' }, { kind: 'slow', delayMs: 3_600_000 }])(
    '$kind keeps the client waiting until the server closes',
    async fault => {
      dex.setFault('token', fault)
      const outcome = askToken().then(
        () => 'answered',
        (error: NodeJS.ErrnoException) => error.code,
      )
      const socket = connect(dex.port, '127.0.0.1')
      await once(socket, 'connect')
      await expect.poll(() => dex.counts.tokenRequests).toBe(1)
      await dex.close()
      expect(await outcome).toBe('ECONNRESET')
      socket.on('error', () => {})
      socket.destroy()
    },
  )

  it('reset ends the connection without an answer', async () => {
    dex.setFault('token', { kind: 'reset' })
    await expect(askToken()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('reset in mid-body ends the connection after half of the true body', async () => {
    dex.setFault('keys', { kind: 'reset', midBody: true })
    const response = await openResponse(dex.jwksUri)
    expect(response.headers['content-length']).toBe('525')
    let received = 0
    response.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    const [error] = (await once(response, 'error').catch(reason => [reason])) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    expect(received).toBe(263)
  })

  it.each([true, false])(
    'huge sends one JSON string of just its size (declared: %s)',
    async declareLength => {
      dex.setFault('token', { kind: 'huge', bytes: 3_000_000, declareLength })
      const { headers, body } = await askToken()
      expect(headers['content-length']).toBe(declareLength ? '3000000' : undefined)
      expect(body.length).toBe(3_000_000)
      expect(Object.keys(JSON.parse(body))).toEqual(['access_token'])
    },
  )

  it('huge waits for its client and stops when the client leaves', async () => {
    dex.setFault('keys', { kind: 'huge' })
    const before = process.memoryUsage().arrayBuffers
    const response = await openResponse(dex.jwksUri)
    await once(response, 'readable')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
    response.destroy()
    await expect.poll(() => dex.openConnections).toBe(0)
  })

  it('redirect sends the client elsewhere', async () => {
    dex.setFault('token', { kind: 'redirect', location: 'http://127.0.0.1:1/x', status: 307 })
    expect(await askToken()).toMatchObject({ status: 307, headers: { location: 'http://127.0.0.1:1/x' } })
    dex.setFault('token', { kind: 'redirect', location: '/y' })
    expect((await askToken()).status).toBe(302)
  })

  it('missing_expires_in leaves only that out', async () => {
    dex.setFault('token', { kind: 'missing_expires_in' })
    const { body } = await askToken()
    expect(Object.keys(JSON.parse(body))).toEqual(['access_token', 'token_type'])
  })

  it('answer puts any answer in the place of an endpoint or at any path', async () => {
    dex.setFault('token', { kind: 'answer', status: 429, headers: { 'Retry-After': '7' }, body: 'wait' })
    expect(await askToken()).toMatchObject({ status: 429, headers: { 'retry-after': '7' }, body: 'wait' })
    dex.setFault('/elsewhere', { kind: 'answer', body: '{"keys":[]}' })
    const elsewhere = `${new URL(dex.issuer).origin}/elsewhere`
    expect(await sendRequest(elsewhere)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"keys":[]}',
    })
    dex.setFault('/dex/token', { kind: 'answer', status: 418 })
    expect((await askToken()).status).toBe(418)
  })

  it('rewrite changes the true answer', async () => {
    dex.setFault('keys', {
      kind: 'rewrite',
      rewrite: answer => ({ ...answer, headers: { ...answer.headers, 'Cache-Control': 'max-age=1' } }),
    })
    const { headers, body } = await sendRequest(dex.jwksUri)
    expect(headers['cache-control']).toBe('max-age=1')
    expect(JSON.parse(body).keys).toHaveLength(1)
  })
})
