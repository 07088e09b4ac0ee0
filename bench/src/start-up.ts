// From the start of the process to its first answered check, which asks Dex.
import { brokerCommand } from '@broker/testing'
import type { StartUpFigures, StartUpResult } from './bench-result.ts'
import { goServiceBinary } from './contender.ts'
import { type Start, startInTurn } from './starts.ts'
import { summarize } from './statistics.ts'

/** Starts ours and the Go service in turn. */
export async function measureStartUp(starts: number): Promise<StartUpResult> {
  const all = await startInTurn(
    {
      ours: [process.execPath, brokerCommand],
      ...(goServiceBinary && { go: [goServiceBinary] }),
    },
    starts,
  )
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
