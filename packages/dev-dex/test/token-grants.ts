import { weirdId, weirdSecret } from './conformance-issuer.ts'
import { basic, rawBasic, type SentRequest } from './send-request.ts'
import { asPipeline, authorization, formType, grant, scoped } from './token-request.ts'

const success = { headers: asPipeline, body: grant }

/** Every way of asking that Dex grants: what is sent, and the length of the body with a port of five digits. */
export const tokenGrants: readonly (readonly [string, SentRequest, number])[] = [
  ['Basic credentials', success, 753],
  ['openid, groups, profile and email', scoped('openid groups profile email'), 1746],
  ['credentials in the body', { body: { ...grant, client_id: 'ci-pipeline', client_secret: 's3cr3t' } }, 753],
  [
    'a right Basic header, although the body is wrong',
    { headers: asPipeline, body: { ...grant, client_id: 'x', client_secret: 'y' } },
    753,
  ],
  ['a repeated scope', scoped('openid openid'), 1460],
  ['a trusted peer as the audience', scoped('openid audience:server:client_id:opendepot'), 1550],
  ['itself as the audience', scoped('audience:server:client_id:ci-pipeline'), 753],
  [
    'a form-encoded id and secret in Basic',
    { headers: { authorization: basic(weirdId, weirdSecret) }, body: grant },
    756,
  ],
  [
    'a strange id and secret in the body',
    { body: { ...grant, client_id: weirdId, client_secret: weirdSecret } },
    756,
  ],
  ['a form-encoded plus sign', { headers: { authorization: rawBasic('plus:a%2bb') }, body: grant }, 730],
  ['a nonce', { headers: asPipeline, body: { ...grant, scope: 'openid', nonce: 'n-1' } }, 1498],
  [
    'a lower-case scheme',
    { headers: { authorization: authorization.replace('Basic', 'basic') }, body: grant },
    753,
  ],
  [
    'a malformed Authorization header and credentials in the body',
    {
      headers: { authorization: 'Basic !!!' },
      body: { ...grant, client_id: 'ci-pipeline', client_secret: 's3cr3t' },
    },
    753,
  ],
  [
    'a Basic header without a colon and credentials in the body',
    {
      headers: { authorization: rawBasic('ci-pipeline') },
      body: { ...grant, client_id: 'ci-pipeline', client_secret: 's3cr3t' },
    },
    753,
  ],
  [
    'a Bearer header and credentials in the body',
    {
      headers: { authorization: 'Bearer abc' },
      body: { ...grant, client_id: 'ci-pipeline', client_secret: 's3cr3t' },
    },
    753,
  ],
  [
    'resource and audience parameters, which it ignores',
    { headers: asPipeline, body: { ...grant, resource: 'https://x', audience: 'y' } },
    753,
  ],
  [
    'the first of two client ids',
    {
      headers: formType,
      body: 'grant_type=client_credentials&client_id=ci-pipeline&client_id=x&client_secret=s3cr3t',
    },
    753,
  ],
  [
    'a media type with parameters and capitals',
    {
      headers: { ...asPipeline, 'content-type': 'Application/X-WWW-form-urlencoded; charset=UTF-8' },
      body: 'grant_type=client_credentials',
    },
    753,
  ],
]
