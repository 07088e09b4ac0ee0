import { weirdSecret } from './conformance-issuer.ts'
import { basic, rawBasic, type SentRequest } from './send-request.ts'
import { asPipeline, formType, grant, scoped } from './token-request.ts'

function described(error: string, description: string): string {
  return JSON.stringify({ error, error_description: description })
}

const invalidClient = described('invalid_client', 'Invalid client credentials.')
const invalidRequest = '{"error":"invalid_request"}'
const unsupported = '{"error":"unsupported_grant_type"}'
const notAllowed = described('invalid_request', 'method not allowed')
const publicClient = described('unauthorized_client', 'Public clients cannot use client_credentials grant.')

/** Every refusal of the token endpoint: what is sent, and the status and body that Dex answers with. */
export const tokenRefusals: readonly (readonly [string, SentRequest, number, string])[] = [
  [
    'an unknown client',
    { headers: { authorization: basic('nobody', 'x') }, body: grant },
    401,
    invalidClient,
  ],
  [
    'a wrong secret',
    { headers: { authorization: basic('ci-pipeline', 'x') }, body: grant },
    401,
    invalidClient,
  ],
  ['no credentials', { body: grant }, 401, invalidClient],
  [
    'a wrong Basic header, although the body is right',
    {
      headers: { authorization: basic('ci-pipeline', 'x') },
      body: { ...grant, client_id: 'ci-pipeline', client_secret: 's3cr3t' },
    },
    401,
    invalidClient,
  ],
  [
    'a Basic header with bad padding and nothing in the body',
    { headers: { authorization: `${rawBasic('ci-pipeline:s3cr3t')}=` }, body: grant },
    401,
    invalidClient,
  ],
  [
    'an unencoded plus sign in a Basic secret',
    { headers: { authorization: rawBasic('plus:a+b') }, body: grant },
    401,
    invalidClient,
  ],
  ['no grant type', { headers: asPipeline, body: { scope: 'openid' } }, 400, unsupported],
  ['an unknown grant type', { headers: asPipeline, body: { grant_type: 'magic' } }, 400, unsupported],
  [
    'an upper-case grant type',
    { headers: asPipeline, body: { grant_type: 'CLIENT_CREDENTIALS' } },
    400,
    unsupported,
  ],
  [
    'an unknown grant before a wrong secret',
    { headers: { authorization: basic('ci-pipeline', 'x') }, body: { grant_type: 'magic' } },
    400,
    unsupported,
  ],
  [
    'offline_access',
    scoped('openid offline_access'),
    400,
    described('invalid_scope', 'client_credentials grant does not support offline_access scope.'),
  ],
  [
    'federated:id',
    scoped('federated:id'),
    400,
    described('invalid_scope', 'client_credentials grant does not support federated:id scope.'),
  ],
  [
    'unknown scopes',
    scoped('openid api.read x'),
    400,
    described('invalid_scope', 'Unrecognized scope(s) ["api.read" "x"]'),
  ],
  [
    'scopes with markup, quotes, control and Unicode characters, in the escapes of Go',
    scoped('<&> a"b\\ \u0001 \u007f \u200b é \u{e0001} 𝄞'),
    400,
    '{"error":"invalid_scope","error_description":"Unrecognized scope(s) [\\"\\u003c\\u0026\\u003e\\" \\"a\\\\\\"b\\\\\\\\\\" \\"\\\\x01\\" \\"\\\\x7f\\" \\"\\\\u200b\\" \\"é\\" \\"\\\\U000e0001\\" \\"𝄞\\"]"}',
  ],
  [
    'an unknown scope only after a wrong secret',
    scoped('api.read', { authorization: basic('ci-pipeline', 'x') }),
    401,
    invalidClient,
  ],
  [
    'a peer that does not trust the client',
    scoped('audience:server:client_id:opendepot', { authorization: basic('no-groups', 'ng') }),
    400,
    described('invalid_scope', 'Client can\'t request scope(s) ["audience:server:client_id:opendepot"]'),
  ],
  [
    'an unknown peer',
    scoped('audience:server:client_id:nosuch'),
    400,
    described('invalid_scope', 'Client can\'t request scope(s) ["audience:server:client_id:nosuch"]'),
  ],
  [
    'a nameless peer',
    scoped('audience:server:client_id:'),
    400,
    described('invalid_scope', 'Client can\'t request scope(s) ["audience:server:client_id:"]'),
  ],
  [
    'an untrusted peer only after an unknown scope',
    scoped('audience:server:client_id:nosuch x'),
    400,
    described('invalid_scope', 'Unrecognized scope(s) ["x"]'),
  ],
  [
    'a public client without a secret',
    { body: { ...grant, client_id: 'cli', client_secret: '' } },
    400,
    publicClient,
  ],
  [
    'a public client with a secret',
    { headers: { authorization: basic('cli-with-secret', 'pub') }, body: grant },
    400,
    publicClient,
  ],
  [
    'a public client only after its scopes',
    { body: { ...grant, client_id: 'cli', scope: 'bogus' } },
    400,
    described('invalid_scope', 'Unrecognized scope(s) ["bogus"]'),
  ],
  ['GET', { method: 'GET', headers: asPipeline }, 400, notAllowed],
  ['PUT', { method: 'PUT', headers: asPipeline, body: grant }, 400, notAllowed],
  [
    'a JSON body',
    { headers: { ...asPipeline, 'content-type': 'application/json' }, body: JSON.stringify(grant) },
    400,
    unsupported,
  ],
  [
    'a multipart body',
    {
      headers: { ...asPipeline, 'content-type': 'multipart/form-data; boundary=b' },
      body: '--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--b--\r\n',
    },
    400,
    unsupported,
  ],
  [
    'a body without a media type',
    { headers: asPipeline, body: 'grant_type=client_credentials' },
    400,
    unsupported,
  ],
  [
    'a malformed media type',
    {
      headers: { ...asPipeline, 'content-type': 'application/x-www-form-urlencoded; =' },
      body: 'grant_type=client_credentials',
    },
    400,
    invalidRequest,
  ],
  [
    'a malformed form',
    { headers: { ...asPipeline, ...formType }, body: 'grant_type=client_credentials&a=%zz' },
    400,
    invalidRequest,
  ],
  [
    'a semicolon between fields',
    { headers: { ...asPipeline, ...formType }, body: 'grant_type=client_credentials;a=b' },
    400,
    invalidRequest,
  ],
  [
    'a form of more than 10 MB',
    {
      headers: { ...asPipeline, ...formType },
      body: Buffer.concat([
        Buffer.from('grant_type=client_credentials&a='),
        Buffer.alloc(10 * 1024 * 1024, 'a'),
      ]),
    },
    400,
    invalidRequest,
  ],
  [
    'a Basic secret with a raw percent sign',
    { headers: { authorization: rawBasic(`plus:${weirdSecret}`) }, body: grant },
    400,
    described('invalid_request', 'client_secret improperly encoded'),
  ],
  [
    'a Basic id with a raw percent sign',
    { headers: { authorization: rawBasic('c%zi:%zz') }, body: grant },
    400,
    described('invalid_request', 'client_id improperly encoded'),
  ],
]
