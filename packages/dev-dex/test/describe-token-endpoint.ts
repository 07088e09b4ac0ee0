import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConformanceIssuer, conformanceClients, type StartIssuer } from './conformance-issuer.ts'
import { basic, sendRequest } from './send-request.ts'
import { tokenGrants } from './token-grants.ts'
import { tokenRefusals } from './token-refusals.ts'

export function describeTokenEndpoint(start: StartIssuer): void {
  describe('the token endpoint', () => {
    let issuer: ConformanceIssuer
    beforeAll(async () => {
      issuer = await start({ clients: conformanceClients })
    })
    afterAll(() => issuer[Symbol.asyncDispose]())

    it.each(tokenRefusals)('refuses %s', async (_, request, status, body) => {
      expect(await sendRequest(issuer.tokenEndpoint, request)).toEqual({
        status,
        headers: { 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json' },
        body,
      })
    })

    it.each(tokenGrants)('grants %s', async (_, request, length) => {
      const { status, headers, body } = await sendRequest(issuer.tokenEndpoint, request)
      expect(body).toMatch(
        /^\{"access_token":"ey[\w.-]+","token_type":"bearer","expires_in":86399(,"id_token":"ey[\w.-]+")?\}$/,
      )
      expect({ status, headers }).toEqual({
        status: 200,
        headers: {
          'cache-control': 'no-store',
          'content-length': String(length),
          'content-type': 'application/json',
          pragma: 'no-cache',
        },
      })
    })

    it('does not see parameters in the query, but refuses a malformed query', async () => {
      const headers = { authorization: basic('ci-pipeline', 's3cr3t') }
      const unseen = await sendRequest(`${issuer.tokenEndpoint}?grant_type=client_credentials`, {
        headers,
        body: {},
      })
      expect(unseen).toMatchObject({ status: 400, body: '{"error":"unsupported_grant_type"}' })
      const malformed = await sendRequest(`${issuer.tokenEndpoint}?a=%zz`, {
        headers,
        body: { grant_type: 'client_credentials' },
      })
      expect(malformed).toMatchObject({ status: 400, body: '{"error":"invalid_request"}' })
    })

    it('answers HEAD without a body', async () => {
      expect(await sendRequest(issuer.tokenEndpoint, { method: 'HEAD' })).toEqual({
        status: 400,
        headers: { 'content-length': '68', 'content-type': 'application/json' },
        body: '',
      })
    })
  })

  it('knows no client_credentials grant when it is not enabled', async () => {
    await using issuer = await start({ clients: conformanceClients, grantTypes: ['authorization_code'] })
    const answer = await sendRequest(issuer.tokenEndpoint, {
      headers: { authorization: basic('ci-pipeline', 's3cr3t') },
      body: { grant_type: 'client_credentials' },
    })
    expect(answer).toMatchObject({ status: 400, body: '{"error":"unsupported_grant_type"}' })
    const discovery = JSON.parse((await sendRequest(issuer.discoveryUri)).body)
    expect(discovery.grant_types_supported).toEqual(['authorization_code'])
  })

  it('leaves expires_in out when the lifetime is below a second', async () => {
    await using issuer = await start({ clients: conformanceClients, idTokensMs: 800 })
    const { body } = await sendRequest(issuer.tokenEndpoint, {
      headers: { authorization: basic('ci-pipeline', 's3cr3t') },
      body: { grant_type: 'client_credentials' },
    })
    expect(Object.keys(JSON.parse(body))).toEqual(['access_token', 'token_type'])
  })
}
