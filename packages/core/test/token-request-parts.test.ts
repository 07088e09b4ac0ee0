import { describe, expect, test } from 'vitest'
import { ownParameters } from '../src/clients/request-parameters.ts'
import type { TokenRequest } from '../src/clients/token-request.ts'
import { createFetch } from '../src/outbound/create-fetch.ts'
import { TokenBroker } from '../src/token-broker.ts'
import { orders, startBrokerWithDex } from './broker-with-dex.ts'
import { portal, startBrokerWithUsers } from './exchange/broker-with-users.ts'
import { startRecordedServer } from './other-servers/recorded-server.ts'

const refused: readonly [string, object, RegExp][] = [
  ['audience', { audience: 'x' }, /audience is not an option; use .*audiences .* or .*extraParams\.audience/],
  ['a relative resource', { resource: '/orders' }, /resource must be an absolute URI/],
  [
    'a resource with blanks around it',
    { resource: [' https://a.example.com'] },
    /resource must be an absolute URI/,
  ],
  [
    'a resource with a fragment',
    { resource: ['https://a.example.com/#b'] },
    /resource must not have a fragment/,
  ],
  ['a resource that is no text', { resource: 5 }, /resource must be an array of strings/],
  [
    'too much of a resource',
    { resource: [`https://a.example.com/${'a'.repeat(2_048)}`] },
    /resource is longer than 2048 characters in all/,
  ],
  ['a map of parameters', { extraParams: new Map([['a', 'b']]) }, /extraParams must be an object/],
  ['a promise of parameters', { extraParams: Promise.resolve({}) }, /extraParams must be an object/],
  ['a parameter without a value', { extraParams: { audience: undefined } }, /"audience" must be a string/],
  ['an empty parameter', { extraParams: { audience: '' } }, /"audience" must not be empty/],
  ['half a surrogate pair', { extraParams: { audience: '\ud800' } }, /"audience" is not valid Unicode/],
  ['an odd name', { extraParams: { 'a b': 'c' } }, /"a b" cannot be the name of a parameter/],
  [
    'too long parameters',
    { extraParams: { a: 'b'.repeat(4_096) } },
    /extraParams is longer than 4096 characters in all/,
  ],
  ...ownParameters.map((name): [string, object, RegExp] => [
    name,
    { extraParams: { [name]: 'x' } },
    new RegExp(`"${name}" is sent by the broker itself`),
  ]),
]

describe.each(refused)('%s is refused', (_, parts, message) => {
  test('in the option client, in clients, in a request and in the option token', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex } = running
    const start = (options: object) => startBrokerWithDex(options)
    await expect(start({ client: { ...orders, ...parts } })).rejects.toThrow(message)
    await expect(start({ clients: { shop: { ...orders, ...parts } } })).rejects.toThrow(message)
    await expect(broker.getToken(parts as TokenRequest)).rejects.toThrow(message)
    const allow = ['https://api.example.com']
    expect(() => createFetch(broker, { allow, token: parts as TokenRequest })).toThrow(message)
    expect(dex.counts.tokenRequests).toBe(0)
  })
})

test('the parts of a request replace those of its client whole', async () => {
  await using server = await startRecordedServer(() => ({
    status: 200,
    body: { access_token: 'token', token_type: 'Bearer' },
  }))
  const client = { ...orders, resource: 'https://a.example.com', extraParams: { audience: 'a', tenant: 't' } }
  await using broker = new TokenBroker({
    tokenEndpoint: server.tokenEndpoint,
    client,
    clients: { shop: client },
    cacheMaxEntries: 0,
  })
  const requests = [{}, { client: 'shop' }, { resource: ['urn:b', 'urn:c'] }, { extraParams: { x: 'y' } }]
  for (const request of requests) await broker.getToken(request)
  const grant = 'grant_type=client_credentials'
  const resource = 'resource=https%3A%2F%2Fa.example.com'
  expect(server.forms.map(String)).toEqual([
    `${grant}&${resource}&audience=a&tenant=t`,
    `${grant}&${resource}&audience=a&tenant=t`,
    `${grant}&resource=urn%3Ab&resource=urn%3Ac&audience=a&tenant=t`,
    `${grant}&${resource}&x=y`,
  ])
})

test('the parts of a client go with its token exchanges, and are in their keys', async () => {
  const client = { ...portal, resource: 'urn:a', extraParams: { audience: 'a' } }
  await using running = await startBrokerWithUsers({
    client,
    clients: { other: { ...client, extraParams: { audience: 'b' } } },
  })
  const { dex, exchange, jwtOf } = running
  const jwt = jwtOf('ada')
  const token = await exchange(jwt)
  expect(await exchange(jwt)).toBe(token)
  expect(await exchange(jwt, { client: 'other' })).not.toBe(token)
  const sent = dex.tokenRequests.map(({ form }) => [form['resource'], form['audience']])
  expect(sent).toEqual([
    ['urn:a', 'a'],
    ['urn:a', 'b'],
  ])
})

test('the order of additional parameters does not matter, and null counts as absent', async () => {
  await using running = await startBrokerWithDex({ client: { ...orders, extraParams: { a: '1', b: '2' } } })
  const { broker, dex } = running
  const token = await broker.getToken()
  expect(await broker.getToken({ extraParams: { b: '2', a: '1' } })).toBe(token)
  expect(await broker.getToken({ extraParams: null, resource: null } as never)).toBe(token)
  expect(dex.counts.tokenRequests).toBe(1)
})

test('a token request in an option does not follow later changes', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const extraParams: Record<string, string> = { audience: 'a' }
  const fetchOrders = createFetch(running.broker, {
    allow: ['https://api.example.com'],
    token: { extraParams },
    fetch: async () => new Response(),
  })
  extraParams['audience'] = 'b'
  await fetchOrders('https://api.example.com')
  expect(running.dex.tokenRequests[0]?.form['audience']).toBe('a')
})

test('other parts of the same client are another token after reconfigure, and equal ones the same', async () => {
  const client = { ...orders, extraParams: { audience: 'a' } }
  await using running = await startBrokerWithDex({ client })
  const { broker, dex } = running
  const token = await broker.getToken()
  const { tokenEndpoint } = dex
  broker.reconfigure({ tokenEndpoint, client: { ...client, extraParams: { audience: 'a' } } })
  expect(await broker.getToken()).toBe(token)
  broker.reconfigure({ tokenEndpoint, client: { ...client, extraParams: { audience: 'b' } } })
  expect(await broker.getToken()).not.toBe(token)
})
