import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const kib = 1024

/** The resources that the operating system has charged to a process. */
export interface ProcessUsage {
  /** User and system time of all its threads since it started. */
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** Without the pages of files, which the system shares and can drop; `undefined` where it does not say. */
  readonly anonymousBytes: number | undefined
  /** The most it ever had; `undefined` where the system does not say. */
  readonly peakRssBytes: number | undefined
}

/** How the figures are obtained here; the resolution of CPU time is 10 ms either way. */
export const usageSource: string =
  process.platform === 'linux' ? '/proc/<pid>/stat and /proc/<pid>/status' : 'ps (no peak memory)'

let ticksPerSecond: number | undefined

/** The usage of a running process and of all its threads, but not of its children. */
export function processUsage(pid: number): ProcessUsage {
  return process.platform === 'linux' ? usageFromProc(pid) : usageFromPs(pid)
}

function usageFromProc(pid: number): ProcessUsage {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in parentheses, which may contain anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssBytes: memoryLine(status, 'VmRSS'),
    anonymousBytes: memoryLine(status, 'RssAnon'),
    peakRssBytes: memoryLine(status, 'VmHWM'),
  }
}

function memoryLine(status: string, name: string): number {
  return Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))?.[1] ?? 0) * kib
}

function usageFromPs(pid: number): ProcessUsage {
  const text = execFileSync('ps', ['-o', 'time=,rss=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  const [time = '', rss = '0'] = text.split(/\s+/)
  // [[days-]hours:]minutes:seconds.hundredths
  const [clock = '', days = '0'] = time.split('-').reverse()
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return {
    cpuSeconds: Number(days) * 86_400 + seconds,
    rssBytes: Number(rss) * kib,
    anonymousBytes: undefined,
    peakRssBytes: undefined,
  }
}
