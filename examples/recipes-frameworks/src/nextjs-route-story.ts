import assert from 'node:assert/strict'
import type * as Route from './nextjs-route.ts'
import { startSurroundings } from './surroundings.ts'

/** Evaluates the file three times, as reloads do, and asserts that there is one broker. `next-proof.mjs` does it with Next.js. */
export async function nextjsRouteStory(): Promise<void> {
  await using surroundings = await startSurroundings()
  const { dex, callerIn } = surroundings
  Object.assign(process.env, surroundings.env)
  const key = Symbol.for('orders-app.broker')
  const brokers = new Set<unknown>()

  for (let evaluation = 0; evaluation < 3; evaluation++) {
    const { GET }: typeof Route = await import(`./nextjs-route.ts?evaluation=${evaluation}`)
    const ask = (headers: Record<string, string>) =>
      GET(new Request('http://127.0.0.1/api/orders', { headers }))
    assert.equal((await ask({})).status, 401)
    assert.equal((await ask(callerIn('staff'))).status, 403)
    const answer = await ask(callerIn('sales'))
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { orders: 3 })
    brokers.add((globalThis as { [key]?: unknown })[key])
  }
  assert.equal(brokers.size, 1)
  assert.equal(dex.counts.tokenRequests, 1)
}
