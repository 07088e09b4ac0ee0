import assert from 'node:assert/strict'
import path from 'node:path'
import { answerJson, freePort, ManagedProcess, until, within } from '@broker/testing'
import { type Surroundings, startSurroundings } from './surroundings.ts'

/** A recipe that listens. */
interface App extends AsyncDisposable {
  readonly url: string
  readonly process: ManagedProcess
}

/** Starts a recipe, and asserts what every recipe for a server does. `file` is relative to this one. */
export async function recipeStory(file: string): Promise<void> {
  await using surroundings = await startSurroundings()
  await using app = await startApp(file, surroundings)
  await refusesCallers(app, surroundings)
  await sharesOneToken(app, surroundings)
  await endsTheCallOfAClientThatLeft(app, surroundings)
  await answersBeforeItEnds(app, surroundings)
  await saysWhenToRetry(file, surroundings)
}

async function startApp(file: string, { env }: Surroundings): Promise<App> {
  const port = await freePort()
  const started = new ManagedProcess(file, process.execPath, [path.join(import.meta.dirname, file)], {
    env: { ...env, PORT: String(port) },
  })
  const url = `http://127.0.0.1:${port}`
  await started.until('an answer', () => fetch(url).catch(() => undefined))
  return { url, process: started, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() }
}

async function refusesCallers(app: App, { dex, callerIn }: Surroundings): Promise<void> {
  const anonymous = await fetch(`${app.url}/orders`)
  assert.equal(anonymous.status, 401)
  assert.equal(anonymous.headers.get('www-authenticate'), 'Bearer realm="dex-token-broker"')
  assert.match(String(anonymous.headers.get('content-type')), /^application\/json\b/)
  const { authorization } = callerIn('sales')
  const forged = await fetch(`${app.url}/orders`, {
    headers: { authorization: `${authorization.slice(0, -8)}AAAAAAAA` },
  })
  assert.equal(forged.status, 401)
  assert.match(String(forged.headers.get('www-authenticate')), /error="invalid_token"/)
  const outsider = await fetch(`${app.url}/orders`, { headers: callerIn('staff') })
  assert.equal(outsider.status, 403)
  assert.match(String(outsider.headers.get('www-authenticate')), /error="insufficient_scope"/)
  assert.equal(dex.counts.tokenRequests, 0)
}

async function sharesOneToken(app: App, { dex, api, callerIn }: Surroundings): Promise<void> {
  const headers = callerIn('sales')
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${app.url}/orders`, { headers })
      return `${answer.status} ${await answer.text()}`
    }),
  )
  assert.deepEqual(new Set(answers), new Set(['200 {"orders":3}']))
  assert.equal(dex.counts.tokenRequests, 1)
  assert.equal(api.requests.length, 20)
  const sent = new Set(api.requests.map(request => request.headers.authorization))
  assert.equal(sent.size, 1)
  assert.deepEqual(audienceOf([...sent][0]), ['orders', 'reports'])
}

async function endsTheCallOfAClientThatLeft(app: App, { api, callerIn }: Surroundings): Promise<void> {
  const headers = callerIn('sales')
  api.answer = () => {}
  const leaving = new AbortController()
  const abandoned = fetch(`${app.url}/orders`, { headers, signal: leaving.signal }).catch(() => 'left')
  await until(() => api.underWay === 1, 'the call to the API')
  leaving.abort()
  assert.equal(await abandoned, 'left')
  await until(() => api.underWay === 0, 'the end of the call to the API')

  api.answer = answerJson({ orders: 0 }, 500)
  assert.equal((await fetch(`${app.url}/orders`, { headers })).status, 500)
  // The log of the client that left would be in front of this line.
  await app.process.until('the line about status 500', () =>
    app.process.log.includes('orders answered with status 500') ? true : undefined,
  )
  assert.doesNotMatch(app.process.log, /AbortError/)
}

async function answersBeforeItEnds(app: App, { dex, api, callerIn }: Surroundings): Promise<void> {
  const tokenRequests = dex.counts.tokenRequests
  const refuse = Promise.withResolvers<void>()
  // The broker has to replace the token while the app ends.
  api.answer = async (_, response) => {
    api.answer = answerJson({ orders: 4 })
    await refuse.promise
    response.writeHead(401).end()
  }
  const last = fetch(`${app.url}/orders`, { headers: callerIn('sales') })
  await until(() => api.underWay === 1, 'the last call to the API')
  app.process.signal('SIGTERM')
  await until(
    () =>
      fetch(app.url).then(
        () => false,
        () => true,
      ),
    'the end of listening',
  )
  refuse.resolve()
  const answer = await last
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { orders: 4 })
  assert.equal(dex.counts.tokenRequests, tokenRequests + 1)
  const exit = await within(app.process.ended(), 'the end of the process', 20_000)
  // NestJS ends itself with the signal that it got.
  assert.ok(exit === 0 || exit === 'SIGTERM', `exit ${exit}\n${app.process.log}`)
}

async function saysWhenToRetry(file: string, surroundings: Surroundings): Promise<void> {
  const { dex, callerIn } = surroundings
  dex.setFault('token', { kind: 'reset' })
  await using app = await startApp(file, surroundings)
  const headers = callerIn('sales')
  const answer = await fetch(`${app.url}/orders`, { headers })
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  assert.match(await answer.text(), /"error":"token_endpoint_unavailable"/)

  dex.clearFaults()
  dex.setClientSecret('reports', 'another-secret')
  await until(async () => (await fetch(`${app.url}/orders`, { headers })).status === 502, 'a 502')
}

function audienceOf(authorization: string | undefined): unknown {
  const payload = authorization?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).aud
}
