import { startDevDex } from '@broker/dev-dex'
import { MountedVolume, startBroker, until } from '@broker/testing'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { type CheckAnswer, CheckClient, CheckLoad, printMeasured, quantileMs, tally } from './checks.ts'

const reloads = 50
const rotations = 20
const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`)
const unchanged = numbered('unchanged', 8)
const rotating = numbered('rotating', 5)
const changing = 'changing'
const all = [...unchanged, ...rotating, changing]

const requestedIn = ({ headers }: CheckAnswer) => headers['x-for'] ?? ''
const clientIn = ({ token = '' }: CheckAnswer) => decodeJwt(token).aud
const clientOf = (authorization: string) =>
  Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')[0]

/** The configuration of one reload: every one has other rules, and two of three have the client that changes. */
function yamlOf(round: number): string {
  const isRemoved = round % 3 === 2
  const clients = isRemoved ? all.filter(name => name !== changing) : all
  const entries = clients.map(name => {
    const scope = name === changing ? `openid ${round % 3 === 0 ? 'email' : 'profile'}` : 'openid'
    return `  - { name: ${name}, clientId: ${name}, clientSecret: { file: ${name} }, scope: ${scope} }`
  })
  const rules = clients.map(
    name => `  - { name: ${name}, when: 'request.headers["x-for"] == "${name}"', client: ${name} }`,
  )
  const first = `  - { name: round ${round}, when: 'request.method == "ROUND-${round}"', deny: round ${round} }`
  return ['clients:', ...entries, 'rules:', first, ...rules, ''].join('\n')
}

test(`${reloads} reloads and ${rotations} rotated secrets under load lose no check and mix up no tokens`, async () => {
  const secrets: Record<string, string> = Object.fromEntries(all.map(name => [name, `${name}-secret`]))
  await using dex = await startDevDex({
    algorithm: 'ES256',
    clients: all.map(id => ({ id, secret: secrets[id] ?? '' })),
  })
  const filesOf = (round: number) => ({ ...secrets, 'config.yaml': yamlOf(round) })
  using volume = new MountedVolume(filesOf(0))
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    CONFIG_FILE: volume.file('config.yaml'),
    ALLOW_UNAUTHENTICATED_CALLERS: 'true',
  })
  using client = new CheckClient(broker.port)
  // Tokens of these live for a day, so that any further request for one was caused by a reload.
  for (const name of unchanged) await client.ask({ 'x-for': name })
  // All others live for five seconds and are refreshed all the time, also while a secret is rotated.
  dex.idTokensMs = 5_000
  const reloadsTotal = () => broker.metric('dex_token_broker_config_reloads_total')
  let reloaded = 0
  const reload = async (round: number) => {
    volume.swap(filesOf(round))
    broker.process.signal('SIGHUP')
    reloaded++
    await until(async () => (await reloadsTotal()) >= reloaded, `reload ${round}`)
  }
  await using load = new CheckLoad(client, {
    perSecond: 500,
    headersOf: index => ({ 'x-for': all[index % all.length] ?? '' }),
  })
  let rotated = 0
  for (let round = 1; round <= reloads; round++) {
    // Two of five rounds rotate a secret: one with the file first, the other with Dex first.
    const order = { 1: 'file first', 3: 'Dex first' }[round % 5]
    const name = rotating[Math.floor(rotated / 2) % rotating.length] ?? ''
    if (order !== undefined) secrets[name] = `${name}-secret-${++rotated}`
    if (order === 'Dex first') {
      dex.setClientSecret(name, secrets[name] ?? '')
      await load.answered(100)
    }
    await reload(round)
    await load.answered(100)
    if (order === 'file first') dex.setClientSecret(name, secrets[name] ?? '')
  }
  const answers = await load.stop()

  const requesters = dex.tokenRequests.map(({ headers }) => clientOf(headers.authorization ?? ''))
  const requests = (name: string) => requesters.filter(requester => requester === name).length
  printMeasured(`${reloads} reloads under load`, {
    outcomes: tally(answers),
    tokenRequests: dex.counts.tokenRequests,
    rejected: dex.counts.tokenRequests - dex.counts.tokensIssued,
    p99Ms: quantileMs(answers, 0.99),
  })
  const lost = answers.filter(
    answer =>
      answer.outcome !== '200' && !(requestedIn(answer) === changing && answer.outcome === '403 forbidden'),
  )
  expect(lost).toEqual([])
  const served = answers.filter(({ outcome }) => outcome === '200')
  expect(served.filter(answer => clientIn(answer) !== requestedIn(answer))).toEqual([])
  expect(served.filter(({ isExpired }) => isExpired)).toEqual([])
  expect(unchanged.map(requests)).toEqual(unchanged.map(() => 1))
  for (const name of rotating) expect(requests(name)).toBeGreaterThan(3)
  expect([rotated, reloaded, await reloadsTotal()]).toEqual([rotations, reloads, reloads])
  expect(await broker.metric('dex_token_broker_config_faults')).toBe(0)
})
