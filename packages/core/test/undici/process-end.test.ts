import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { orders } from '../broker-with-dex.ts'
import { refuseFirstToken, startOutgoingCalls } from '../outbound/outgoing-calls.ts'

test('a process that made calls, was refused, redirected and left alone ends by itself', async () => {
  const refuse = refuseFirstToken()
  await using out = await startOutgoingCalls({
    answer: (request, response) => {
      if (request.path === '/from') response.writeHead(302, { location: '/to' }).end()
      else refuse(request, response)
    },
  })
  const program = `
    import { Agent, request } from ${JSON.stringify(import.meta.resolve('undici'))}
    import { createFetch, TokenBroker } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
    import { tokenInterceptor } from ${JSON.stringify(new URL('../../src/undici/index.ts', import.meta.url).href)}
    const broker = new TokenBroker({
      tokenEndpoint: ${JSON.stringify(out.dex.tokenEndpoint)},
      client: ${JSON.stringify(orders)},
      tokenHeaders: { access_token: 'x-access-token' },
    })
    const options = { allow: [${JSON.stringify(out.backend.url)}] }
    const call = createFetch(broker, options)
    const url = ${JSON.stringify(out.backend.url)}
    const first = await (await call(url + '/from', { method: 'POST', body: 'text' })).text()
    const dispatcher = new Agent().compose(tokenInterceptor(broker, options))
    const second = await (await request(url, { dispatcher })).body.text()
    await call(url, { signal: AbortSignal.abort() }).catch(() => {})
    console.log(first, second)
  `
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program],
    { timeout: 10_000 },
  )
  expect([stdout, stderr]).toEqual(['ok ok\n', ''])
  expect(out.backend.requests).toHaveLength(4)
})
