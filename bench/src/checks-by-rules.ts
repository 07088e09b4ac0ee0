// The cost of rules in a whole check, without HTTP: CPU time of `decide` with a gate, and with a gate and ten rules of which the
// last matches. In one process and in turn, so that both meet the same machine: `node bench/src/checks-by-rules.ts`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { TokenBroker } from '@broker/core'
import { loadConfig } from '@broker/server'
import { startDex } from './dex-process.ts'
import { modes } from './mode.ts'
import { type Summary, summarize } from './statistics.ts'

const checksPerRound = 100_000
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })
const rounds = Number(values.rounds)

const scratch = mkdtempSync(path.join(tmpdir(), 'broker-rules-'))
try {
  await using dex = await startDex()
  const file = path.join(scratch, 'requests')
  await modes.rules.writeRequests(file, dex, { newJwts: 1 })
  const headers = headersIn(readFileSync(file, 'latin1'))
  const brokerFor = (mode: 'gated' | 'rules') =>
    new TokenBroker(
      loadConfig({ DEX_TOKEN_URL: dex.tokenEndpoint, ...modes[mode].environment(dex, scratch) }).broker,
    )
  await using gated = brokerFor('gated')
  await using ruled = brokerFor('rules')

  const cpuMicros = async (broker: TokenBroker): Promise<number> => {
    const verdict = await broker.check(request())
    if (verdict.outcome !== 'allow') throw new Error(`refused: ${verdict.body}`)
    const before = process.cpuUsage()
    for (let index = 0; index < checksPerRound; index += 1) broker.decide(request())
    const { user, system } = process.cpuUsage(before)
    return (user + system) / checksPerRound
  }
  const request = () => ({ headers, method: 'GET', path: '/orders/17?page=2' })

  const samples: { without: number; rules: number }[] = []
  // The first rounds warm up the compiler and are not counted.
  for (let round = -3; round < rounds; round += 1) {
    const sample = { without: await cpuMicros(gated), rules: await cpuMicros(ruled) }
    if (round >= 0) samples.push(sample)
  }
  print('gate, no rules', summarize(samples.map(({ without }) => without)))
  print('gate and ten rules', summarize(samples.map(({ rules }) => rules)))
  print('difference', summarize(samples.map(({ without, rules }) => rules - without)))
} finally {
  rmSync(scratch, { recursive: true })
}

/** Header lines of a request in text form. */
function headersIn(text: string): string[] {
  const [head = ''] = text.split('\r\n\r\n')
  return head
    .split('\r\n')
    .slice(1)
    .flatMap(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
}

function print(title: string, { median, min, max }: Summary): void {
  console.log(
    `${title}: ${median.toFixed(2)} us of CPU time per check (${min.toFixed(2)} to ${max.toFixed(2)})`,
  )
}
