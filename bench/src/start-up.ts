// From the start of the process to its first answered check, which asks Dex.
import { setTimeout as sleep } from 'node:timers/promises'
import { brokerCommand, freePort, ManagedProcess } from '@broker/testing'
import type { StartUpFigures, StartUpResult } from './bench-result.ts'
import { goServiceBinary } from './contender.ts'
import { credentialHeaders, startDex } from './dex-process.ts'
import { answerTo } from './first-answer.ts'
import { processUsage } from './process-usage.ts'
import { rawCheck } from './raw-request.ts'
import { summarize } from './statistics.ts'

interface Start {
  readonly milliseconds: number
  readonly cpuSeconds: number
  readonly rssBytes: number
}

/** Starts ours and the Go service in turn. */
export async function measureStartUp(starts: number): Promise<StartUpResult> {
  await using dex = await startDex()
  const commands = {
    ours: [process.execPath, brokerCommand],
    ...(goServiceBinary && { go: [goServiceBinary] }),
  }
  const all = new Map<string, Start[]>(Object.keys(commands).map(name => [name, []]))
  for (let start = 0; start < starts; start++) {
    for (const [name, command] of Object.entries(commands)) {
      all.get(name)?.push(await startOnce(command, dex.tokenEndpoint))
    }
  }
  const summaries = [...all].map(([name, starts]) => {
    const of = (value: (start: Start) => number) => summarize(starts.map(value))
    return [
      name,
      {
        milliseconds: of(start => start.milliseconds),
        cpuMilliseconds: of(start => start.cpuSeconds * 1000),
        rssBytes: of(start => start.rssBytes),
      },
    ]
  })
  return { starts, ...Object.fromEntries(summaries) }
}

/** One line for each server. */
export function startUpText({ starts, ours, go }: StartUpResult): string {
  const lines = Object.entries({ ours, ...(go && { 'Go service': go }) }).map(
    ([name, figures]) => `  ${name}: ${startUpLine(figures)}`,
  )
  return [`to the first answered check, ${starts} starts`, ...lines].join('\n')
}

function startUpLine({ milliseconds, cpuMilliseconds, rssBytes }: StartUpFigures): string {
  const { median, min, max } = milliseconds
  const spread = `${min.toFixed(0)}-${max.toFixed(0)}`
  const rss = (rssBytes.median / (1024 * 1024)).toFixed(0)
  return `${median.toFixed(0)} ms (${spread}), ${cpuMilliseconds.median.toFixed(0)} ms CPU, ${rss} MiB`
}

async function startOnce([command = '', ...args]: readonly string[], tokenEndpoint: string): Promise<Start> {
  const port = await freePort()
  const startedAt = performance.now()
  await using child = new ManagedProcess('the server', command, args, {
    env: {
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: tokenEndpoint,
      ALLOW_INSECURE_DEX_URL: 'true',
    },
  })
  const check = rawCheck(credentialHeaders(0))
  for (;;) {
    const answer = await answerTo(port, check).catch(() => undefined)
    if (answer?.status === 200) break
    if (answer !== undefined) throw new Error(`the first check was answered with ${answer.status}`)
    if (child.hasEnded) throw new Error(`it ended before it answered:\n${child.log}`)
    await sleep(1)
  }
  const milliseconds = performance.now() - startedAt
  return { milliseconds, ...processUsage(child.pid) }
}
