import { TokenBroker } from '@broker/core'
import { median } from '../statistics.ts'
import { MadeUpDex, madeUpUrls } from './made-up-dex.ts'
import { type LongestTurn, longestTurn } from './turn-meter.ts'

export interface CacheFigures {
  readonly tokens: number
  readonly tokenCharacters: number
  /** Memory of the heap for each cached token, beside the characters of the token itself. */
  readonly overheadBytes: number
  /** The same when each token has been handed out once: the header with it is then one string. */
  readonly overheadBytesInUse: number
  /** While the cache fills, while each new token evicts one, and while all expired tokens are removed. */
  readonly longestTurn: {
    readonly fill: LongestTurn
    readonly evict: LongestTurn
    readonly cleanUp: LongestTurn
  }
}

const evictions = 20_000
const twoDaysMs = 2 * 24 * 60 * 60 * 1000

/** Medians of several runs, and the least for turns. Needs `--expose-gc`. */
export async function cacheFigures(tokens: number, runs: number): Promise<CacheFigures> {
  const all: CacheFigures[] = []
  for (let run = 0; run < runs; run++) all.push(await measure(tokens))
  const of = (value: (figures: CacheFigures) => number) => median(all.map(value))
  // The quietest run of each: what other programs do to a turn makes it longer, never shorter.
  const turn = (name: keyof CacheFigures['longestTurn']) =>
    all.map(({ longestTurn }) => longestTurn[name]).reduce((a, b) => (a.wallMs <= b.wallMs ? a : b))
  return {
    tokens,
    tokenCharacters: of(figures => figures.tokenCharacters),
    overheadBytes: of(figures => figures.overheadBytes),
    overheadBytesInUse: of(figures => figures.overheadBytesInUse),
    longestTurn: { fill: turn('fill'), evict: turn('evict'), cleanUp: turn('cleanUp') },
  }
}

async function measure(tokens: number): Promise<CacheFigures> {
  const dex = new MadeUpDex()
  let skewMs = 0
  const before = heapBytes()
  await using broker = new TokenBroker({
    ...madeUpUrls,
    transport: dex.transport,
    cacheMaxEntries: tokens,
    cacheCleanupIntervalMs: 1_000,
    clock: { wall: () => Date.now() + skewMs, monotonic: () => performance.now() + skewMs },
  })
  let next = 0
  const getAnother = async () => {
    const clientId = `client-${next++}`
    await broker.getToken({ clientId, clientSecret: `secret of ${clientId}` })
  }

  const fill = await longestTurn(async () => {
    await getAnother()
    return next < tokens
  })
  const { issuedCharacters } = dex
  const overhead = () => (heapBytes() - before - issuedCharacters) / tokens
  const overheadBytes = overhead()

  for (let index = 0; index < tokens; index++) {
    const clientId = `client-${index}`
    const token = broker.peekToken({ clientId, clientSecret: `secret of ${clientId}` })
    // Writing a header to a connection does the same to its string.
    Buffer.from(token?.headers['authorization'] ?? '', 'latin1')
  }
  const overheadBytesInUse = overhead()

  const evict = await longestTurn(async () => {
    await getAnother()
    return next < tokens + evictions
  })
  skewMs = twoDaysMs
  const cleanUp = await longestTurn(() => broker.cacheStatistics.entries > 0)
  return {
    tokens,
    tokenCharacters: issuedCharacters / tokens,
    overheadBytes,
    overheadBytesInUse,
    longestTurn: { fill, evict, cleanUp },
  }
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run Node with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
