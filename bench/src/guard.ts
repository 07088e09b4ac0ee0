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

interface Guarded {
  readonly mode: ModeName
  /** Bytes that a check may allocate beyond those that Node's HTTP server needs for the same answer. Lower it when the figure drops. */
  readonly limit: number
  readonly environment?: Record<string, string>
}

const guarded: Readonly<Record<string, Guarded>> = {
  cached: { mode: 'cached', limit: 5_000 },
  static: { mode: 'static', limit: 3_900 },
  gated: { mode: 'gated', limit: 4_400 },
  rules: { mode: 'rules', limit: 5_000 },
  // The same JWT, which is as good as new when none is remembered.
  'gated-new': { mode: 'gated', limit: 7_800, environment: { JWT_CACHE_MAX_ENTRIES: '0' } },
}

const scratch = mkdtempSync(path.join(tmpdir(), 'broker-guard-'))
try {
  await using dex = await startDex()
  for (const [name, { mode: modeName, limit, environment }] of Object.entries(guarded)) {
    const mode = modes[modeName]
    const file = path.join(scratch, name)
    await mode.writeRequests(file, dex, { newJwts: 1 })
    const check = readFileSync(file, 'latin1')

    await using ours = startProbed(brokerCommand, [], {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      ...mode.environment(dex, scratch),
      ...environment,
    })
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
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
