import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { encodeDexSubject } from '@broker/dev-dex'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ask, type ClientAnswer } from '../harness/client-request.ts'
import { caller, type Dex } from '../harness/dex.ts'
import { withUpstreamHeader } from '../harness/listener-variants.ts'
import { type Person, type StaffIssuer, startStaffIssuer, tokensFrom } from '../harness/staff-issuer.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const person = (name: string, groups: readonly string[]): Person => ({
  userID: `id-of-${name}`,
  email: `${name}@example.com`,
  password: `password-of-${name}`,
  name,
  groups,
})
const jane = person('jane', ['engineering'])
const john = person('john', ['engineering', 'on-call'])
const sue = person('sue', ['sales'])
const reports = { id: 'reports', secret: 'reports-secret', groups: ['reporters'] }

/** The file of the design: a rule for a machine, and one that keeps people's own names. */
const fileFor = (staff: string, { issuer, jwksUri }: Dex) => `apiVersion: dex-token-broker/v1
settings: { HTTP_TIMEOUT: 3s, DEX_ISSUER: ${issuer} }
issuers:
  - { name: staff, issuer: ${staff}, audiences: [orders] }
  - { name: dex, issuer: ${issuer}, jwksUri: ${jwksUri}, audiences: [orders], machineAudiences: any, groupsClaim: groups }
clients:
  - { name: reports, clientId: reports, clientSecret: { file: reports-secret }, scope: groups, audiences: [orders] }
rules:
  - { name: ci pipeline, when: '"client:${caller.id}" in caller.groups && request.method == "GET"', client: reports, set: { x-caller: caller.subject } }
  - { name: people, when: 'caller.issuer == "staff" && "engineering" in caller.groups', exchange: { connectorId: staff, client: reports, scope: openid email profile groups } }
`

describeWithEnvoy('a rule that exchanges tokens', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'broker-exchange-'))
  let staff: StaffIssuer
  beforeAll(async () => {
    staff = await startStaffIssuer([jane, john, sue])
  })
  afterAll(async () => {
    await staff?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  const system = useSystem(() => ({
    dex: {
      clients: [
        reports,
        { id: 'orders', secret: 'orders-secret', trustedPeers: [reports.id] },
        { ...caller, groups: ['builders'] },
      ],
      // Dex reads the discovery document of the staff issuer when it starts.
      connectors: [{ type: 'oidc', id: 'staff', issuer: staff.issuer, insecureEnableGroups: true }],
    },
    environment: dex => {
      const file = path.join(folder, 'config.yaml')
      writeFileSync(file, fileFor(staff.issuer, dex))
      writeFileSync(path.join(folder, 'reports-secret'), `${reports.secret}\n`)
      return { CONFIG_FILE: file }
    },
    listeners: { 'with x-caller': withUpstreamHeader('x-caller') },
  }))
  afterEach(() => system().backend.clear())

  const askWith = (jwt: string, headers: Readonly<Record<string, string>> = {}): Promise<ClientAnswer> =>
    ask(system().port('with x-caller'), { headers: { ...headers, authorization: `Bearer ${jwt}` } })
  /** The token exchanges that Dex received. */
  const exchanges = () => system().dex.lookAlike?.counts.exchangeRequests
  const tokenOf = (who: Person, claims: object = {}) => ({
    iss: system().dex.issuer,
    sub: encodeDexSubject(staff.subjectOf(who), 'staff'),
    email: who.email,
    name: who.name,
    groups: who.groups,
    ...claims,
  })

  test('two users have two tokens of Dex, each with their own subject, email and groups', async () => {
    for (const who of [jane, john]) {
      const jwt = await staff.jwtOf(who)
      expect((await askWith(jwt, { 'x-caller': 'forged' })).status).toBe(200)
      const [arrived] = system().backend.requests
      expect(arrived?.tokenClaims).toMatchObject(tokenOf(who))
      expect(arrived?.tokenAudience?.split(' ').sort()).toEqual(['orders', 'reports'])
      // Neither the user's JWT nor a header that the rule does not set.
      expect(arrived?.rawHeaders.join('\n')).not.toContain(jwt)
      expect(arrived?.header('x-caller')).toEqual([])
      system().backend.clear()
    }
  })

  test('many requests of two users at a time never mix them, and each user costs one exchange', async () => {
    const users = await Promise.all([jane, john].map(async who => ({ who, jwt: await staff.jwtOf(who) })))
    const before = exchanges()
    const requests = Array.from({ length: 40 }, (_, index) => {
      const { who, jwt } = users[index % 2] as (typeof users)[number]
      return ask(system().port(), { target: `/${who.name}`, headers: { authorization: `Bearer ${jwt}` } })
    })
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(requests.map(() => 200))
    const { requests: arrived } = system().backend
    expect(arrived).toHaveLength(40)
    expect(arrived.map(({ tokenClaims }) => `/${tokenClaims?.['name']}`)).toEqual(
      arrived.map(({ url }) => url),
    )
    if (before !== undefined) expect(exchanges()).toBe(before + 2)
  })

  test('the second request of a user asks Dex nothing', async () => {
    const { lookAlike } = system().dex
    const jwt = await staff.jwtOf(jane)
    expect((await askWith(jwt)).status).toBe(200)
    lookAlike?.resetRecords()
    expect((await askWith(jwt)).status).toBe(200)
    const nothing = { tokenRequests: 0, keysRequests: 0, discoveryRequests: 0 }
    if (lookAlike !== undefined) expect(lookAlike.counts).toMatchObject(nothing)
    const [first, second] = system().backend.requests
    expect(second?.header('authorization')).toEqual(first?.header('authorization'))
  })

  test('a machine gets the token of the client, and never one of a user', async () => {
    const { access_token: machine } = await tokensFrom(system().dex, caller, {
      grant_type: 'client_credentials',
      scope: 'openid groups',
    })
    const before = exchanges()
    expect((await askWith(String(machine))).status).toBe(200)
    const [arrived] = system().backend.requests
    expect(arrived?.tokenClaims).toMatchObject({ sub: encodeDexSubject(reports.id), groups: reports.groups })
    expect(arrived?.tokenClaims).not.toHaveProperty('email')
    expect(arrived?.header('x-caller')).toEqual([encodeDexSubject(caller.id)])
    expect(exchanges()).toBe(before)
  })

  test('a user without the group is forbidden, and Dex is not asked', async () => {
    const before = system().dex.lookAlike?.counts.tokenRequests
    const answer = await askWith(await staff.jwtOf(sue))
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toEqual({ error: 'forbidden', error_description: 'no rule matches' })
    expect(system().backend.requests).toEqual([])
    expect(system().dex.lookAlike?.counts.tokenRequests).toBe(before)
  })

  test('a JWT that Dex denies is forbidden, and the user gets a token with a better one', async () => {
    // The connector needs an email, and the gate does not.
    const answer = await askWith(await staff.jwtOf(john, 'openid groups'))
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body).error).toBe('forbidden')
    expect(system().backend.requests).toEqual([])
    expect((await askWith(await staff.jwtOf(john))).status).toBe(200)
    expect(system().backend.requests[0]?.tokenClaims).toMatchObject(tokenOf(john))
  })

  test('a forged JWT is refused, and Dex is not asked', async () => {
    const before = system().dex.lookAlike?.counts.tokenRequests
    const jwt = await staff.jwtOf(jane)
    const answer = await askWith(`${jwt.slice(0, -8)}AAAAAAAA`)
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(system().dex.lookAlike?.counts.tokenRequests).toBe(before)
  })

  test('no JWT and no token is in the log', () => {
    // All of them are JWTs.
    expect(system().broker.process.log).not.toContain('eyJ')
    expect(system().broker.process.log).not.toContain(reports.secret)
  })
})
