import { TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { listening } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { attachToken, createRequestFetch } from '../src/index.ts'
import { startSetting } from './express-setting.ts'
import { expressVersions } from './express-versions.ts'

describe.each(expressVersions)('a broker that is reconfigured behind %s', (_version, express) => {
  test('has its new headers attached to the next request, and the new credential headers removed', async () => {
    await using setting = await startSetting()
    const options: TokenBrokerOptions = {
      tokenEndpoint: setting.dex.tokenEndpoint,
      client: { clientId: 'portal', clientSecret: 'portal-secret' },
    }
    await using broker = new TokenBroker(options)
    const seen: (string | undefined)[][] = []
    const app = express()
    app.use(attachToken(broker), ({ headers }, response) => {
      seen.push(['authorization', 'x-dex', 'x-secret'].map(name => headers[name]?.toString().split(' ')[0]))
      response.end()
    })
    await using server = await listening(app)
    const send = () => fetch(server.url, { headers: { 'x-dex': 'forged', 'x-secret': 'own' } })
    await send()
    broker.reconfigure({
      ...options,
      authorizationHeader: 'x-dex',
      credentialHeaders: { clientSecret: 'x-secret' },
    })
    await send()
    expect(seen).toEqual([
      ['Bearer', 'forged', 'own'],
      [undefined, 'Bearer', undefined],
    ])
  })

  test('has its new authorization header respected by the fetch of a request that began before', async () => {
    await using setting = await startSetting()
    const { dex, backend } = setting
    const options: TokenBrokerOptions = {
      tokenEndpoint: dex.tokenEndpoint,
      client: { clientId: 'portal', clientSecret: 'portal-secret' },
    }
    await using broker = new TokenBroker(options)
    const requestFetch = createRequestFetch(broker, { allow: [backend.url], token: () => ({}) })
    const app = express()
    app.use((request, response, next) => {
      const send = requestFetch(request)
      broker.reconfigure({ ...options, authorizationHeader: 'x-dex' })
      const own = { headers: { 'x-dex': 'own' } }
      Promise.all([send(backend.url, own), send(backend.url)]).then(() => response.end(), next)
    })
    await using server = await listening(app)
    await fetch(server.url)
    const sent = backend.requests.map(({ headers }) => String(headers['x-dex']).split(' ')[0])
    expect(sent.sort()).toEqual(['Bearer', 'own'])
  })
})
