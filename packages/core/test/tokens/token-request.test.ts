import { startDevDex } from '@broker/dev-dex'
import { startRecordingServer } from '@broker/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TokenBroker } from '../../src/token-broker.ts'
import { billing, caughtUp, failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

/** Text of any characters, with those that Basic and forms treat specially as likely as all others together. */
function anyText(maxLength: number) {
  return fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength }),
    fc.string({
      unit: fc.constantFrom(...'+%:&=/ ;?#"\\é€😀', '%2B', '\u0000', '\n'),
      minLength: 1,
      maxLength: 20,
    }),
  )
}

describe('client credentials on the wire', () => {
  test('Dex decodes exactly the client id and secret that went in, whatever their characters', async () => {
    const clientList = fc.uniqueArray(fc.record({ id: anyText(60), secret: anyText(300) }), {
      selector: ({ id }) => id,
      minLength: 1,
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(clientList, async clients => {
        await using dex = await startDevDex({ clients, algorithm: 'ES256' })
        for (const clientAuthMethod of ['client_secret_basic', 'client_secret_post'] as const) {
          await using broker = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint, clientAuthMethod })
          for (const { id, secret } of clients) {
            await broker.getToken({ clientId: id, clientSecret: secret })
          }
        }
        expect(dex.counts.tokensIssued).toBe(2 * clients.length)
      }),
      { numRuns: 40 },
    )
  })

  test.each(['p+q', '100%', 'p%41q', 'a:b', 'x&y=z', 'a/b c', 'gr\u00fc\u00df dich \u20ac \u{1f511}'])(
    'the secret %j authenticates',
    async secret => {
      await using dex = await startDevDex({ clients: [{ id: 'a:b+c', secret }], algorithm: 'ES256' })
      await using broker = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint })
      await expect(broker.getToken({ clientId: 'a:b+c', clientSecret: secret })).resolves.toBeDefined()
    },
  )

  test('Basic carries both parts form-encoded and the body carries neither', async () => {
    await using running = await startBrokerWithDex({}, { clients: [{ id: 'a:b', secret: 'c d+e' }] })
    await running.broker.getToken({ clientId: 'a:b', clientSecret: 'c d+e' })
    const [request] = running.dex.tokenRequests
    expect(request?.headers.authorization).toBe(`Basic ${btoa('a%3Ab:c+d%2Be')}`)
    expect(request?.form).toEqual({ grant_type: 'client_credentials' })
  })

  test('client_secret_post carries both parts in the body and no authorization header', async () => {
    await using running = await startBrokerWithDex({ clientAuthMethod: 'client_secret_post' })
    await running.broker.getToken(orders)
    const [request] = running.dex.tokenRequests
    expect(request?.headers.authorization).toBeUndefined()
    expect(request?.form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'orders',
      client_secret: 'orders-secret',
    })
  })

  test.each([
    [{ clientId: 'a\ud800', clientSecret: 's' }, 'not valid Unicode'],
    [{ clientId: 'a', clientSecret: '\udfffs' }, 'not valid Unicode'],
    [{ clientId: 'i'.repeat(257), clientSecret: 's' }, 'client id is too long'],
    [{ clientId: 'a', clientSecret: 's'.repeat(4097) }, 'client secret is too long'],
    [{ ...orders, scope: 's'.repeat(1025) }, 'scope is too long'],
    [{ ...orders, scope: 'a\nb' }, 'scope has invalid characters'],
    [{ ...orders, scope: 'é' }, 'scope has invalid characters'],
  ])('what cannot be sent is refused before anything is sent: %#', async (request, message) => {
    await using running = await startBrokerWithDex()
    const failure = await failureOf(running.broker.getToken(request))
    expect(failure.code).toBe('invalid_request')
    expect(failure.message).toContain(message)
    expect(() => running.broker.peekToken(request)).toThrow(message)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test.each([{}, { clientId: 'orders' }, { clientSecret: 's' }, { clientId: '', clientSecret: 's' }])(
    'missing parts are missing_credentials: %j',
    async request => {
      await using running = await startBrokerWithDex()
      const failure = await failureOf(running.broker.getToken(request))
      expect(failure).toMatchObject({ code: 'missing_credentials', status: 401 })
    },
  )
})

describe('scope and audiences on the wire', () => {
  test('scope is sent in the order given, and left out when it is empty', async () => {
    await using running = await startBrokerWithDex()
    await running.broker.getToken({ ...orders, scope: 'profile groups' })
    await running.broker.getToken({ ...billing, scope: '' })
    expect(running.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual(['profile groups', undefined])
  })

  test('audiences become the cross-client scopes of Dex and end up in the token', async () => {
    await using running = await startBrokerWithDex()
    const token = await running.broker.getToken({ ...orders, scope: 'groups', audiences: ['billing'] })
    expect(running.dex.tokenRequests[0]?.form['scope']).toBe('groups audience:server:client_id:billing')
    const claims = JSON.parse(Buffer.from(token.accessToken.split('.')[1] as string, 'base64url').toString())
    expect(claims).toMatchObject({ aud: ['billing', 'orders'], azp: 'orders' })
  })

  test('audiences of the configured client go with every request that brings none', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, audiences: ['billing'] } })
    await running.broker.getToken()
    await running.broker.getToken({ audiences: [] })
    expect(running.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual([
      'audience:server:client_id:billing',
      undefined,
    ])
  })

  test.each([
    'billing admin',
    'billing\tadmin',
    'billing\nadmin',
    '',
    ' ',
    'bill\u00e9',
    'a\u00a0b',
    'a\u0000',
  ])('an audience cannot smuggle in another scope: %j', async audience => {
    await using running = await startBrokerWithDex()
    const failure = await failureOf(running.broker.getToken({ ...orders, audiences: [audience] }))
    expect(failure.code).toBe('invalid_request')
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('audiences that are no list are wrong use, not a list of letters', async () => {
    await using running = await startBrokerWithDex()
    const audiences = 'billing' as unknown as string[]
    await expect(running.broker.getToken({ ...orders, audiences })).rejects.toThrow(TypeError)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })
})

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])(
    'a %i is not followed: the other server receives nothing',
    async status => {
      await using elsewhere = await startRecordingServer((_, response) => response.end('{}'))
      await using running = await startBrokerWithDex({ client: orders })
      running.dex.setFault('token', { kind: 'redirect', location: `${elsewhere.url}/token`, status })
      const failure = await failureOf(running.broker.getToken())
      expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502 })
      expect(failure.hint).toEqual({ problem: 'redirects', option: 'tokenEndpoint', detail: `${status}` })
      expect(elsewhere.requests).toEqual([])
    },
  )
})
