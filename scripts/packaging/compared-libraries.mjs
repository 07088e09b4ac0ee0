/**
 * Libraries that get tokens for a Node.js service, as docs/comparison.md compares them. `use` is a module with the least code for a
 * token: `token()` resolves with it. The variables ISSUER, CLIENT_ID and CLIENT_SECRET say from where.
 */
export const comparedLibraries = [
  {
    name: '@broker/core',
    use: `import { TokenBroker } from '@broker/core'
const { ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env
const broker = new TokenBroker({ issuer, client: { clientId, clientSecret } })
export const token = async () => (await broker.getToken()).accessToken`,
  },
  {
    name: 'openid-client',
    version: '6.9.0',
    use: `import { clientCredentialsGrant, discovery } from 'openid-client'
const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
let discovered
export async function token() {
  discovered ??= discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET)
  return (await clientCredentialsGrant(await discovered)).access_token
}`,
  },
  {
    name: 'simple-oauth2',
    version: '5.1.0',
    use: `import { ClientCredentials } from 'simple-oauth2'
const { ISSUER, CLIENT_ID: id, CLIENT_SECRET: secret } = process.env
const auth = { tokenHost: new URL(ISSUER).origin, tokenPath: new URL(ISSUER).pathname + '/token' }
const client = new ClientCredentials({ client: { id, secret }, auth })
export const token = async () => (await client.getToken({})).token.access_token`,
  },
  {
    name: '@badgateway/oauth2-client',
    version: '3.3.1',
    use: `import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
const { ISSUER, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env
const client = new OAuth2Client({ clientId, clientSecret, tokenEndpoint: ISSUER + '/token' })
const calls = new OAuth2Fetch({ client, getNewToken: () => client.clientCredentials(), scheduleRefresh: false })
export const token = () => calls.getAccessToken()`,
  },
  {
    name: '@azure/msal-node',
    version: '7.2.3',
    use: `import { ConfidentialClientApplication } from '@azure/msal-node'
const { ISSUER: authority, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env
const knownAuthorities = [new URL(authority).host]
const application = new ConfidentialClientApplication({
  auth: { clientId, clientSecret, authority, knownAuthorities },
  system: { protocolMode: 'OIDC' },
})
export const token = async () =>
  (await application.acquireTokenByClientCredential({ scopes: ['groups'] })).accessToken`,
  },
]
