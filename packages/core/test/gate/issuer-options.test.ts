import { expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'

const jwksUri = 'https://idp.example.com/keys'
const staff = { name: 'staff', issuer: 'https://idp.example.com', jwksUri }
const other = { name: 'other', issuer: 'https://other.example.com' }

function make(options: Record<string, unknown>): void {
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.example.com/token',
    ...options,
  } as unknown as TokenBrokerOptions)
  void broker.close()
}

test.each<[string, Record<string, unknown>]>([
  ['issuers', { issuers: [] }],
  ['issuers', { issuers: 'staff' }],
  ['issuers', { issuers: staff }],
  ['issuers', { issuers: [], gate: {} }],
  ...[undefined, null, 'staff', 7, [], Promise.resolve(staff)].map(
    (entry): [string, Record<string, unknown>] => ['issuers[1]', { issuers: [other, entry] }],
  ),
  ['issuers[0].jwksUrl', { issuers: [{ ...staff, jwksUrl: jwksUri }] }],
  ...[undefined, '', 7, 'a b', 'a/b', 'é', 'a'.repeat(65)].map((name): [string, Record<string, unknown>] => [
    'issuers[0].name',
    { issuers: [{ ...staff, name }] },
  ]),
  ['issuers[1].name', { issuers: [staff, { ...other, name: 'staff' }] }],
  ['issuers[1].issuer', { issuers: [staff, { ...other, issuer: staff.issuer }] }],
  ['issuers[0].issuer', { issuers: [{ name: 'staff' }] }],
  ['issuers[0].issuer', { issuers: [{ name: 'staff', jwksUri }] }],
  ['issuers[0].issuer', { issuers: [{ ...staff, issuer: '' }] }],
  ['issuers[0].issuer', { issuers: [{ ...staff, issuer: 7 }] }],
  ['issuers[0].issuer', { issuers: [{ name: 'staff', issuer: 'idp.example.com' }] }],
  ['issuers[0].issuer', { issuers: [{ name: 'staff', issuer: 'http://idp.example.com' }] }],
  ['issuers[0].issuer', { issuers: [{ name: 'staff', issuer: 'https://idp.example.com?a' }] }],
  ['issuers[0].discoveryUrl', { issuers: [{ name: 'staff', discoveryUrl: 'http://idp.example.com/' }] }],
  ['issuers[0].discoveryUrl', { issuers: [{ name: 'staff', discoveryUrl: '' }] }],
  ['issuers[0].jwksUri', { issuers: [{ ...staff, jwksUri: '/keys' }] }],
  ['issuers[0].tokenEndpoint', { issuers: [{ ...staff, tokenEndpoint: 'https://a:b@idp.example.com' }] }],
  ['issuers[0].audiences', { issuers: [{ ...staff, audiences: [] }] }],
  ['issuers[0].audiences', { issuers: [{ ...staff, audiences: '' }] }],
  ['issuers[0].audiences', { issuers: [{ ...staff, audiences: ['a', 7] }] }],
  ['issuers[0].isDex', { issuers: [{ ...staff, isDex: 'true' }] }],
  ['issuers[0].machineAudiences', { issuers: [{ ...staff, machineAudiences: 'all' }] }],
  ['issuers[0].machineAudiences', { issuers: [{ ...staff, machineAudiences: [] }] }],
  ['issuers[0].machineAudiences', { issuers: [{ ...staff, machineAudiences: ['a', ''] }] }],
  ['issuers[0].machineAudiences', { issuers: [{ ...staff, machineAudiences: 'any', isDex: false }] }],
  ['issuers[0].algorithms', { issuers: [{ ...staff, algorithms: [] }] }],
  ['issuers[0].algorithms', { issuers: [{ ...staff, algorithms: 'RS256' }] }],
  ['issuers[0].algorithms', { issuers: [{ ...staff, algorithms: ['RS256', 'HS256'] }] }],
  ['issuers[0].clockToleranceMs', { issuers: [{ ...staff, clockToleranceMs: -1 }] }],
  ['issuers[0].clockToleranceMs', { issuers: [{ ...staff, clockToleranceMs: '1s' }] }],
  ['issuers[0].groupsClaim', { issuers: [{ ...staff, groupsClaim: '' }] }],
  ['issuers[0].groupsClaim', { issuers: [{ ...staff, groupsClaim: ['groups'] }] }],
  ['issuers[0].transport', { issuers: [{ ...staff, transport: {} }] }],
  ...[
    ['jwksUri', jwksUri],
    ['issuer', staff.issuer],
    ['audience', 'svc'],
    ['machineAudiences', 'any'],
    ['groupsClaim', 'roles'],
  ].map(([name, value]): [string, Record<string, unknown>] => [
    `gate.${name}`,
    { issuers: [staff], gate: { [name as string]: value } },
  ]),
  ['gate', { issuers: [staff], gate: true }],
  ['gate.jwksUri', { gate: { requiredGroups: ['a'] } }],
  ['gate.machineAudiences', { gate: { jwksUri, machineAudiences: 'some' } }],
  ['gate.groupsClaim', { gate: { jwksUri, groupsClaim: '' } }],
  ['gate.requiredGroups', { gate: { jwksUri, requiredGroups: [] } }],
  ['gate.requiredGroups', { gate: { jwksUri, requiredGroups: 'a' } }],
  ['gate.requiredScopes', { gate: { jwksUri, requiredScopes: ['a', ''] } }],
  ['gate.requiredScopes', { gate: { jwksUri, requiredScopes: [7] } }],
  ['clients.a.dex', { issuers: [staff], clients: { a: { clientId: 'a', clientSecret: 's', dex: 'x' } } }],
  [
    'clients.a.dex',
    { clients: { a: { clientId: 'a', clientSecret: 's', dex: 'default' } }, gate: { jwksUri } },
  ],
  [
    'issuers[0].issuer',
    {
      issuers: [{ name: 'x', issuer: 'no URL', jwksUri }],
      clients: { a: { clientId: 'a', clientSecret: 's', dex: 'x' } },
    },
  ],
])('a wrong option is a TypeError that starts with its name: %s %#', (name, options) => {
  expect(() => make(options)).toThrow(TypeError)
  expect(() => make(options)).toThrow(new RegExp(`^${name.replaceAll(/[.[\]]/g, '\\$&')}[: ]`))
})

test.each<[Record<string, unknown>]>([
  [{ issuers: [staff, other] }],
  [{ issuers: [{ name: 'a', discoveryUrl: 'https://a.example.com' }, staff] }],
  [{ issuers: [staff], gate: {} }],
  [{ issuers: [staff], gate: { jwtHeader: 'x-jwt', clockToleranceMs: 1, requiredGroups: ['a'] } }],
  [{ issuers: [{ ...staff, algorithms: ['ES256'], machineAudiences: ['a'], transport: () => {} }] }],
  [{ issuers: null, gate: null }],
  [{ gate: { jwksUri, machineAudiences: 'any', groupsClaim: 'roles', requiredScopes: ['a'] } }],
])('right options are accepted: %#', options => {
  expect(() => make(options)).not.toThrow()
})
