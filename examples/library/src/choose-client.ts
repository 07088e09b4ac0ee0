// Named clients, and a function that chooses one for each request; a snippet of docs/library.md.
import assert from 'node:assert/strict'
import { startDevDex } from '@broker/dev-dex'

await using dex = await startDevDex({
  clients: [
    { id: 'orders-readers', secret: 'readers-secret' },
    { id: 'orders-writers', secret: 'writers-secret' },
  ],
})
const { issuer } = dex
const secrets = { readers: 'readers-secret', writers: 'writers-secret' }

// #region choose
import { TokenBroker } from '@broker/core'

await using broker = new TokenBroker({
  issuer, // https://dex.example.com/dex
  clients: {
    readers: { clientId: 'orders-readers', clientSecret: secrets.readers },
    writers: { clientId: 'orders-writers', clientSecret: secrets.writers },
  },
  issuers: [{ name: 'dex', issuer, audiences: ['orders'] }],
  backendHeaders: ['x-caller'],
  chooseClient(caller, request) {
    if (caller === undefined) return { deny: 'a JWT is required' }
    const set = { 'x-caller': caller.subject }
    if (caller.groups.includes('engineering')) return { client: 'writers', set }
    if (request.method === 'GET' && request.path.startsWith('/orders/')) return { client: 'readers', set }
    return { deny: 'only engineers may change orders' }
  },
})

const token = await broker.getToken({ client: 'readers' })
// #endregion choose
assert.equal(token.tokenType.toLowerCase(), 'bearer')

const ada = { sub: 'ada', groups: ['engineering'] }
const bob = { sub: 'bob', groups: ['sales'] }
assert.deepEqual(await outcomeOf(ada, 'POST', '/orders/17'), ['allow', 'orders-writers', 'ada'])
assert.deepEqual(await outcomeOf(bob, 'GET', '/orders/17'), ['allow', 'orders-readers', 'bob'])
assert.deepEqual(await outcomeOf(bob, 'POST', '/orders/17'), ['deny', 403])
// A backend could read this path as /admin.
assert.deepEqual(await outcomeOf(bob, 'GET', '/orders/../admin'), ['deny', 403])
assert.equal(dex.counts.tokenRequests, 2)
console.log('ada writes, bob reads, and a path with two meanings is refused')

async function outcomeOf(claims: object, method: string, path: string): Promise<unknown[]> {
  const exp = Math.floor(Date.now() / 1000) + 3600
  const jwt = dex.signJwt({ iss: issuer, aud: 'orders', exp, ...claims })
  const verdict = await broker.check({ headers: ['authorization', `Bearer ${jwt}`], method, path })
  if (verdict.outcome !== 'allow') return [verdict.outcome, verdict.status]
  const [, payload = ''] = verdict.set['authorization']?.split('.') ?? []
  const { aud } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return [verdict.outcome, aud, verdict.set['x-caller']]
}
