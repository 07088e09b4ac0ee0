import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { headerLines } from '../../src/check/header-lines.ts'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { CallersKey, startGate } from '../gate/callers-issuer.ts'

const key = new CallersKey('ES256')

const wrong: [string, unknown][] = [
  ['Headers', new Headers({ authorization: 'x' })],
  ['an object', { authorization: 'x' }],
  ['pairs', [['authorization', 'x']]],
  ['nothing', undefined],
  ['null', null],
  ['a text', 'authorization: x'],
  ['a Map', new Map([['authorization', 'x']])],
]

describe('headers of another shape', () => {
  test.each(wrong)('are wrong use, and not a request without headers: %s', async (_, headers) => {
    await using running = await startGate([key.jwk()])
    const { broker } = running
    const request = { headers: headers as string[] }
    await expect(broker.check(request)).rejects.toThrow(/^headers must be header lines .*headerLines\(\)/)
    await expect(broker.check(request)).rejects.toThrow(TypeError)
    await expect(broker.authenticate(request)).rejects.toThrow(TypeError)
    expect(() => broker.decide(request)).toThrow(TypeError)
  })

  test.each<[unknown]>([[undefined], [null], [7], [['a.b.c']], [{}]])(
    'are not a JWT either: %j',
    async jwt => {
      await using running = await startGate([key.jwk()])
      await expect(running.broker.verify(jwt as string)).rejects.toThrow(/^verify needs a JWT as a string/)
    },
  )
})

describe('headerLines', () => {
  test('makes lines of Headers, pairs and a Map', async () => {
    const lines = ['accept', 'a', 'x-client-id', 'b']
    expect(
      headerLines(
        new Headers([
          ['x-client-id', 'b'],
          ['Accept', 'a'],
        ]),
      ),
    ).toEqual(lines)
    expect(
      headerLines([
        ['accept', 'a'],
        ['x-client-id', 'b'],
      ]),
    ).toEqual(lines)
    expect(
      headerLines(
        new Map([
          ['accept', 'a'],
          ['x-client-id', 'b'],
        ]),
      ),
    ).toEqual(lines)
    expect(headerLines(new Request('http://x.test', { headers: { accept: 'a' } }).headers)).toEqual([
      'accept',
      'a',
    ])
  })

  test('makes lines of what Node gives, one for each value of a list', async () => {
    const server = createServer((request, response) => {
      response.end(JSON.stringify(headerLines(request.headers)))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const headers = { 'set-cookie': ['a', 'b'], 'x-client-id': 'c', host: 'd' }
    const [response] = await once(get({ port, host: '127.0.0.1', headers, agent: false }), 'response')
    const lines = JSON.parse(String(await response.toArray()))
    server.close()
    expect(lines).toEqual([
      'set-cookie',
      'a',
      'set-cookie',
      'b',
      'x-client-id',
      'c',
      'host',
      'd',
      'connection',
      'close',
    ])
  })

  test('leaves out what is undefined', () => {
    expect(headerLines({ authorization: undefined, accept: 'a' })).toEqual(['accept', 'a'])
  })

  test('serves a check and the gate', async () => {
    await using running = await startBrokerWithDex()
    const headers = new Headers({ 'x-client-id': orders.clientId, 'x-client-secret': orders.clientSecret })
    expect(await running.broker.check({ headers: headerLines(headers) })).toMatchObject({ outcome: 'allow' })
    await using gate = await startGate([key.jwk()])
    const request = new Headers({ authorization: `Bearer ${key.jwt(gate.claims())}` })
    expect(await gate.broker.authenticate({ headers: headerLines(request) })).toMatchObject({
      claims: { sub: 'alice' },
    })
    expect((await failureOf(gate.broker.authenticate({ headers: headerLines({}) }))).credentialsAbsent).toBe(
      true,
    )
  })

  test.each<[unknown]>([
    [undefined],
    [null],
    ['a: b'],
    [7],
    [['accept', 'a']],
    [[['accept']]],
    [[['accept', 7]]],
    [{ accept: 7 }],
    [{ accept: { a: 'b' } }],
  ])('%j is wrong use', headers => {
    expect(() => headerLines(headers as Headers)).toThrow(TypeError)
    expect(() => headerLines(headers as Headers)).toThrow(/^headers must be/)
  })
})
