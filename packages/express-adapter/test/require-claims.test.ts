import type { JwtClaims } from '@broker/core'
import { listening } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { brokerErrorHandler, type ClaimsPredicate, requireClaims, requireJwt } from '../src/index.ts'
import { type ExpressSetting, startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

describe.each(expressVersions)('requireClaims in %s', (_, express) => {
  async function ask(
    setting: ExpressSetting,
    predicate: unknown,
    claims = {},
    gated = true,
  ): Promise<Response> {
    const app = express()
    if (gated) app.use(requireJwt(setting.broker))
    app.get('/reports', requireClaims(predicate as ClaimsPredicate), (_request, response) => {
      response.send('the report')
    })
    // What a `next('route')` would reach.
    app.get('/reports', (_request, response) => void response.send('not guarded'))
    app.use(brokerErrorHandler())
    app.use(
      (
        error: unknown,
        _request: unknown,
        response: { status(code: number): { send(text: string): void } },
        _next: unknown,
      ) => {
        response.status(500).send(String(error))
      },
    )
    await using server = await listening(app)
    const response = await fetch(`${server.url}/reports`, {
      headers: { authorization: `Bearer ${setting.jwt(claims)}`, connection: 'close' },
    })
    return new Response(await response.text(), response)
  }

  test('lets pass whom the condition accepts, at once or later', async () => {
    await using setting = await startSetting()
    const isAuditor = ({ groups }: JwtClaims) => Array.isArray(groups) && groups.includes('auditors')
    const groups = ['staff', 'auditors']
    expect(await (await ask(setting, isAuditor, { groups })).text()).toBe('the report')
    const later: ClaimsPredicate = async claims => isAuditor(claims)
    expect(await (await ask(setting, later, { groups })).text()).toBe('the report')
  })

  test('passes the caller to the condition', async () => {
    await using setting = await startSetting()
    const isAlice: ClaimsPredicate = (claims, caller) =>
      caller.subject === 'alice' && caller.claims === claims && caller.groups.includes('staff')
    expect((await ask(setting, isAlice, { sub: 'alice', groups: ['staff'] })).status).toBe(200)
    expect((await ask(setting, isAlice, { sub: 'bob' })).status).toBe(403)
  })

  test.each([
    ['false', () => false],
    ['a promise of false', async () => false],
    ['nothing', () => undefined],
    ['something that is only truthy', () => 'auditors'],
  ])('answers 403 with the challenge insufficient_scope to %s', async (_name, predicate) => {
    await using setting = await startSetting()
    const response = await ask(setting, predicate)
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="dex-token-broker", error="insufficient_scope"',
    )
    expect(await response.json()).toEqual({
      error: 'forbidden',
      error_description: 'the claims of the JWT do not permit this request',
    })
  })

  test.each([
    ['an error', new Error('no claims'), 'Error: no claims'],
    ['undefined', undefined, 'Error: a middleware failed'],
    ['the word that makes Express skip a route', 'route', 'Error: a middleware failed'],
  ])('does not let pass when the condition throws %s', async (_name, thrown, message) => {
    await using setting = await startSetting()
    const response = await ask(setting, () => {
      throw thrown
    })
    expect([response.status, await response.text()]).toEqual([500, message])
  })

  test('is no gate by itself', async () => {
    await using setting = await startSetting()
    const response = await ask(setting, () => true, {}, false)
    expect([response.status, await response.text()]).toEqual([
      500,
      'TypeError: requireJwt has not run for this request',
    ])
  })

  test('what another middleware left in request.auth does not count', async () => {
    const app = express()
    app.use((request, _response, next) => next(void Object.assign(request, { auth: { claims: {} } })))
    app.get(
      '/reports',
      requireClaims(() => true),
      (_request, response) => void response.send('the report'),
    )
    await using server = await listening(app)
    const response = await fetch(`${server.url}/reports`, { headers: { connection: 'close' } })
    expect(response.status).toBe(500)
  })

  test('refuses what is no function', () => {
    expect(() => requireClaims('admin' as never)).toThrow('predicate must be a function')
  })
})
