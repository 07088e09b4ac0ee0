// Fails when a check costs more than it may. It counts allocated bytes, which do not depend on how busy the machine is:
// work that was added to each check shows in them, and nearly nothing else does.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { brokerCommand, listeningPorts } from '@broker/testing'
import { barePort, bareScript } from './contender.ts'
import { startDex } from './dex-process.ts'
import { headersToRepeat } from './first-answer.ts'
import { bytesPerCheck, startProbed } from './guard/bytes-per-check.ts'
import { type ModeName, modes } from './mode.ts'
import { withoutOpenTelemetry } from './settings/setting-server.ts'

interface Guarded {
  readonly mode: ModeName
  /** Bytes that a check may allocate beyond those that Node's HTTP server needs for the same answer. Lower it when the figure drops. */
  readonly limit: number
  readonly environment?: Record<string, string>
  /** A check of an earlier entry that costs the same, but for a few bytes. */
  readonly sameAs?: string
  /** A module that is loaded into our server. */
  readonly preload?: string
}

/** Half of what a check costs more when it is traced and not sampled. Two measurements of the same differ by a few hundred bytes. */
const tolerance = 900

const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

const guarded: Readonly<Record<string, Guarded>> = {
  cached: { mode: 'cached', limit: 4_500 },
  static: { mode: 'static', limit: 3_400 },
  gated: { mode: 'gated', limit: 3_800 },
  rules: { mode: 'rules', limit: 4_500 },
  // Like no collector at all: nothing is traced without the packages of OpenTelemetry.
  'collector without OpenTelemetry': {
    mode: 'cached',
    limit: 4_500,
    sameAs: 'cached',
    environment: collector,
    preload: withoutOpenTelemetry,
  },
  'collector, nothing sampled': {
    mode: 'cached',
    limit: 5_900,
    environment: { ...collector, OTEL_TRACES_SAMPLER: 'always_off' },
  },
  'access log': { mode: 'cached', limit: 7_200, environment: { ACCESS_LOG: 'all' } },
  misses: { mode: 'misses', limit: 42_000 },
  // The same JWT, which is as good as new when none is remembered.
  'gated-new': { mode: 'gated', limit: 6_500, environment: { JWT_CACHE_MAX_ENTRIES: '0' } },
}

const scratch = mkdtempSync(path.join(tmpdir(), 'broker-guard-'))
try {
  const measured = new Map<string, number>()
  for (const [name, { mode: modeName, limit, sameAs, environment, preload }] of Object.entries(guarded)) {
    const mode = modes[modeName]
    await using dex = await startDex(mode.algorithm)
    const file = path.join(scratch, name)
    await mode.writeRequests(file, dex, { newJwts: 1 })
    const [check = ''] = readFileSync(file, 'latin1').split('\0', 1)

    const env = {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      ...mode.environment(dex, scratch),
      ...environment,
    }
    await using ours = startProbed(brokerCommand, [], env, preload)
    const port = await ours.until('it listened', () => listeningPorts(ours.log)?.port)
    const headers = await headersToRepeat(port, check)
    const oursBytes = await bytesPerCheck(ours, port, check)

    await using bare = startProbed(bareScript, [JSON.stringify(headers)], {})
    const portOfBare = await bare.until('it listened', () => barePort(bare.log))
    const bareBytes = await bytesPerCheck(bare, portOfBare, check)

    const own = oursBytes - bareBytes
    console.log(
      `${name}: ${own.toFixed(0)} bytes of ours for each check (${oursBytes.toFixed(0)} with Node's), at most ${limit}`,
    )
    if (own > limit) process.exitCode = 1
    measured.set(name, own)
    const difference = own - (measured.get(sameAs ?? name) ?? Number.NaN)
    if (difference <= tolerance) continue
    console.log(`${name}: ${difference.toFixed(0)} bytes more than ${sameAs}, at most ${tolerance}`)
    process.exitCode = 1
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
