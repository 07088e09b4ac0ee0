import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type CertificateAuthority, createCertificateAuthority } from '@broker/testing'
import type { SettingGroupResult, SettingsResult } from '../bench-result.ts'
import { credentialHeaders } from '../dex-process.ts'
import { checkRequest } from '../grpc/check-request.ts'
import { grpcLoad } from '../load/grpc-load.ts'
import type { LoadResult } from '../load/load.ts'
import { nodeLoad } from '../load/node-load.ts'
import type { Bench } from '../measure-mode.ts'
import { processUsage } from '../process-usage.ts'
import { rawCheck } from '../raw-request.ts'
import { summarize } from '../statistics.ts'
import { type SettingGroup, type SettingGroupName, settingGroups } from './setting-groups.ts'
import { type SettingServer, startSettingServer } from './setting-server.ts'

interface Round extends LoadResult {
  readonly cpuMicros: number
}

/**
 * Measures our server with and without a setting, in turn, round by round. Every server has the same load from the same generator, whose
 * connections are open before the measurement begins, so handshakes are not in the figures.
 */
export async function measureSettings(
  names: readonly SettingGroupName[],
  bench: Bench,
): Promise<SettingsResult> {
  const authority = createCertificateAuthority()
  const groups: SettingGroupResult[] = []
  for (const name of names) groups.push(await measureGroup(settingGroups[name], bench, authority))
  return { groups }
}

async function measureGroup(
  { title, protocol, settings }: SettingGroup,
  { options, dex, scratch }: Bench,
  authority: CertificateAuthority,
): Promise<SettingGroupResult> {
  await using stack = new AsyncDisposableStack()
  const servers: SettingServer[] = []
  for (const setting of settings) {
    const { tokenEndpoint } = dex
    servers.push(
      stack.use(await startSettingServer(setting, { protocol, tokenEndpoint, authority, scratch })),
    )
  }
  const requestsFile = path.join(scratch, `settings-${protocol}.requests`)
  const headers = credentialHeaders(0)
  writeFileSync(requestsFile, protocol === 'grpc' ? checkRequest(headers) : rawCheck(headers))

  const generator = protocol === 'grpc' ? grpcLoad : nodeLoad
  const { connections } = options
  const load = async ({ pid, port, tls }: SettingServer, seconds: number): Promise<Round> => {
    let before = 0
    const result = await generator.run(
      { port, tls, requestsFile, firstRequest: 0, connections, seconds },
      () => {
        before = processUsage(pid).cpuSeconds
      },
    )
    const cpuSeconds = processUsage(pid).cpuSeconds - before
    return { ...result, cpuMicros: (cpuSeconds * 1e6) / result.requests }
  }
  const run = async (server: SettingServer, seconds: number): Promise<Round> => {
    const round = await load(server, seconds)
    if (round.errors > 0 || round.requests === 0) {
      throw new Error(`${server.setting.title}: ${round.errors} of ${round.requests} checks failed`)
    }
    return round
  }
  const checksBefore = new Map<SettingServer, number>()
  for (const server of servers) {
    // Not checked: over gRPC the first answer says that the token was not cached, and is longer than the others.
    const first = await load(server, 1)
    const warmUp = await run(server, options.warmUpSeconds)
    checksBefore.set(server, first.requests + warmUp.requests)
  }
  const tokenRequests = await dex.tokenRequests()
  const rounds = new Map<SettingServer, Round[]>(servers.map(server => [server, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const server of servers) rounds.get(server)?.push(await run(server, options.seconds))
  }
  if ((await dex.tokenRequests()) > tokenRequests) throw new Error(`${title}: a check was not cached`)

  const [baseline] = [...rounds.values()] as [Round[]]
  const results = [...rounds].map(async ([server, own]) => ({
    title: server.setting.title,
    cpuMicrosPerCheck: summarize(own.map(({ cpuMicros }) => cpuMicros)),
    checksPerSecond: summarize(own.map(({ requests, seconds }) => requests / seconds)),
    ...(own !== baseline && {
      // Of the same round: what disturbed one of them is likely to have disturbed the other.
      ratio: summarize(own.map(({ cpuMicros }, index) => cpuMicros / (baseline[index] as Round).cpuMicros)),
    }),
    spansPerCheck:
      (await server.finish()) /
      own.reduce((sum, { requests }) => sum + requests, checksBefore.get(server) ?? 0),
  }))
  return { title, settings: await Promise.all(results) }
}
