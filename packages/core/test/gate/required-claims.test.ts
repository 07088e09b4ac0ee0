import { describe, expect, test } from 'vitest'
import type { GateOptions, TokenBrokerOptions } from '../../src/options/broker-options.ts'
import type { BrokerEvent } from '../../src/shared/broker-event.ts'
import { failureOf } from '../broker-with-dex.ts'
import { createBroker, startIdentityProvider } from './identity-provider.ts'

async function startGate(gate: GateOptions, options: Partial<TokenBrokerOptions> = {}) {
  const idp = await startIdentityProvider({ algorithm: 'ES384' })
  const events: BrokerEvent[] = []
  const running = createBroker({
    gate: { jwksUri: idp.jwksUri, ...gate },
    observe: event => events.push(event),
    ...options,
  })
  return {
    idp,
    events,
    ...running,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await idp[Symbol.asyncDispose]()
    },
  }
}

const forbidden = { code: 'forbidden', status: 403 }

describe('requiredGroups', () => {
  test.each<[unknown, boolean]>([
    [['a', 'b'], true],
    [['b', 'c', 'a'], true],
    [['a'], false],
    ['a', false],
    [undefined, false],
    [['A', 'B'], false],
  ])('a caller in the groups %j is admitted: %s', async (groups, isAdmitted) => {
    await using running = await startGate({ requiredGroups: ['a', 'b'] })
    const outcome = running.broker.verify(running.idp.jwt({ groups }))
    if (isAdmitted) await expect(outcome).resolves.toMatchObject({ subject: 'alice' })
    else expect(await failureOf(outcome)).toMatchObject(forbidden)
  })

  test('are compared with the virtual group of a machine, and nobody forges it', async () => {
    await using running = await startGate({ requiredGroups: ['client:ci'], machineAudiences: 'any' })
    const { broker, idp } = running
    await broker.verify(idp.jwt({ sub: 'CgJjaQ', aud: 'ci' }))
    const forged = idp.jwt({ aud: 'ci', groups: ['client:ci'] })
    expect(await failureOf(broker.verify(forged))).toMatchObject(forbidden)
  })
})

describe('requiredScopes', () => {
  test.each<[Record<string, unknown>, boolean]>([
    [{ scope: 'read write' }, true],
    [{ scope: 'openid write read' }, true],
    [{ scope: ['read', 'write'] }, true],
    [{ scp: 'read write' }, true],
    [{ scp: ['write', 'read'] }, true],
    [{ scope: 'read', scp: ['write'] }, true],
    [{ scope: 'read' }, false],
    [{ scope: 'readwrite' }, false],
    [{ scope: ['read write'] }, false],
    [{ scope: 7 }, false],
    [{}, false],
  ])('a JWT with %j is admitted: %s', async (claims, isAdmitted) => {
    await using running = await startGate({ requiredScopes: ['read', 'write'] })
    const outcome = running.broker.verify(running.idp.jwt(claims))
    if (isAdmitted) await expect(outcome).resolves.toMatchObject({ subject: 'alice' })
    else expect(await failureOf(outcome)).toMatchObject(forbidden)
  })
})

describe('a caller without them', () => {
  test('is refused in every way that needs a caller, and the answer names none of them', async () => {
    await using running = await startGate({ requiredGroups: ['secret-project'] })
    const jwt = running.idp.jwt()
    const request = { headers: ['authorization', `Bearer ${jwt}`] }
    expect(await failureOf(running.broker.verify(jwt))).toMatchObject(forbidden)
    expect(await failureOf(running.broker.authenticate(request))).toMatchObject(forbidden)
    const verdict = await running.broker.check(request)
    expect(verdict).toMatchObject({
      outcome: 'deny',
      ...forbidden,
      headers: { 'www-authenticate': expect.stringContaining('error="insufficient_scope"') },
      body: JSON.stringify({ error: 'forbidden', error_description: 'the JWT lacks a required group' }),
    })
    expect(JSON.stringify(verdict)).not.toContain('secret-project')
  })

  test('is told to the observer by its reason, and to the operator by name', async () => {
    await using running = await startGate({ requiredGroups: ['admins'], requiredScopes: ['write'] })
    const { broker, idp, events } = running
    await failureOf(broker.verify(idp.jwt({ scope: 'write' })))
    await failureOf(broker.verify(idp.jwt({ groups: ['admins'] })))
    const refusals = events.filter(({ type }) => type === 'jwt_refusal')
    expect(refusals).toEqual([
      { type: 'jwt_refusal', reason: 'group' },
      { type: 'jwt_refusal', reason: 'scope' },
    ])
    expect(running.warnings()).toMatchObject([
      {
        fields: { why: 'it lacks the group "admins"', hint: expect.stringContaining('gate.requiredGroups') },
      },
      { fields: { why: 'it lacks the scope "write"', hint: expect.stringContaining('gate.requiredScopes') } },
    ])
    expect(JSON.stringify(running.warnings())).not.toContain('alice')
  })

  test('is refused at once the second time: its signature is remembered', async () => {
    await using running = await startGate({ requiredGroups: ['admins'] })
    const request = { headers: ['authorization', running.idp.jwt()] }
    expect(await running.broker.decide(request)).toMatchObject(forbidden)
    expect(running.broker.decide(request)).toMatchObject(forbidden)
  })

  test('is refused as such only with a right signature', async () => {
    await using running = await startGate({ requiredGroups: ['admins'] })
    const jwt = running.idp.jwt()
    const forged = jwt.slice(0, -6) + (jwt.at(-6) === 'A' ? 'B' : 'A') + jwt.slice(-5)
    expect(await failureOf(running.broker.verify(forged))).toMatchObject({ code: 'invalid_token' })
  })

  test('is refused whichever of the issuers proves it', async () => {
    await using idp = await startIdentityProvider()
    await using running = createBroker({
      gate: { requiredGroups: ['admins'] },
      issuers: [{ name: 'staff', issuer: idp.iss, jwksUri: idp.jwksUri, groupsClaim: 'roles' }],
    })
    expect(await failureOf(running.broker.verify(idp.jwt({ groups: ['admins'] })))).toMatchObject(forbidden)
    expect(running.warnings()[0]?.fields).toMatchObject({ reason: 'group', issuer: 'staff' })
    await running.broker.verify(idp.jwt({ roles: ['admins'] }))
  })
})
