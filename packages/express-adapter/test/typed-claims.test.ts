import type { AuthenticatedCaller, JwtClaims, TokenBroker } from '@broker/core'
import { listening } from '@broker/testing'
import type { Request } from 'express'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { authOf, brokerErrorHandler, type ClaimsMiddleware, requireClaims, requireJwt } from '../src/index.ts'
import { startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

interface TenantClaims extends JwtClaims {
  readonly tenant: string
}

const hasTenant = (claims: JwtClaims): claims is TenantClaims => typeof claims['tenant'] === 'string'

describe.each(expressVersions)('requireClaims with a type guard in %s', (_, express) => {
  test('gives the handler the claims that the guard proved, and refuses others', async () => {
    await using setting = await startSetting()
    const app = express()
    const ofTenant = requireClaims(hasTenant)
    app.use(requireJwt(setting.broker))
    app.get('/tenant', ofTenant, (request, response) => {
      const { tenant } = ofTenant.authOf(request).claims
      expectTypeOf(tenant).toEqualTypeOf<string>()
      response.send(tenant.toUpperCase())
    })
    app.use(brokerErrorHandler())
    await using server = await listening(app)
    const ask = (claims: Record<string, unknown>) =>
      fetch(`${server.url}/tenant`, {
        headers: { authorization: `Bearer ${setting.jwt(claims)}`, connection: 'close' },
      })
    expect(await (await ask({ tenant: 'blue' })).text()).toBe('BLUE')
    expect((await ask({ tenant: 5 })).status).toBe(403)
    expect((await ask({})).status).toBe(403)
  })

  test('has no caller for a request that it did not admit', async () => {
    await using setting = await startSetting()
    const app = express()
    const ofTenant = requireClaims(hasTenant)
    const elsewhere = requireClaims(hasTenant)
    app.get('/', requireJwt(setting.broker), elsewhere, (request, response) => {
      expect(authOf(request).claims['tenant']).toBe('blue')
      expect(() => ofTenant.authOf(request)).toThrow(
        new TypeError('this requireClaims has not admitted the request'),
      )
      response.send('checked')
    })
    await using server = await listening(app)
    const authorization = `Bearer ${setting.jwt({ tenant: 'blue' })}`
    const response = await fetch(server.url, { headers: { authorization, connection: 'close' } })
    expect(await response.text()).toBe('checked')
  })
})

test('the types of claims', () => {
  expectTypeOf(requireClaims(hasTenant)).toEqualTypeOf<ClaimsMiddleware<TenantClaims>>()
  expectTypeOf(requireClaims(async () => true)).toEqualTypeOf<ClaimsMiddleware>()
  expectTypeOf(requireClaims(claims => claims['admin'] === true)).toEqualTypeOf<ClaimsMiddleware>()
  expectTypeOf<AuthenticatedCaller['claims']>().toEqualTypeOf<JwtClaims>()
  expectTypeOf<AuthenticatedCaller<TenantClaims>>().toExtend<AuthenticatedCaller>()
  const asserted = (request: Request) => authOf<TenantClaims>(request).claims.tenant
  expectTypeOf(asserted).returns.toEqualTypeOf<string>()
  const verified = async (broker: TokenBroker) => (await broker.verify<TenantClaims>('')).claims.tenant
  expectTypeOf(verified).returns.resolves.toEqualTypeOf<string>()
  const authenticated = async (broker: TokenBroker) =>
    (await broker.authenticate<{ tenant: string }>({ headers: [] })).claims.tenant
  expectTypeOf(authenticated).returns.resolves.toEqualTypeOf<string>()
  // @ts-expect-error A claim has a name.
  expectTypeOf<AuthenticatedCaller<string>>()
})
