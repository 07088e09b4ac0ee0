import type { ContenderName } from './contender.ts'
import type { CacheFigures } from './library/cache-figures.ts'
import type { CallFigures } from './library/calls.ts'
import type { ModeName } from './mode.ts'
import type { Summary } from './statistics.ts'

/** One server in one mode. */
export interface ContenderResult {
  readonly cpuMicrosPerCheck: Summary
  readonly checksPerCpuSecond: Summary
  readonly checksPerSecond: Summary
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number }
  readonly rssBytes: number
  readonly peakRssBytes: number | undefined
  readonly checks: number
  /** CPU time of the server, of one core. */
  readonly busy: number
  /** The same of the load generator. */
  readonly generatorBusy: number
}

export interface ModeResult {
  readonly mode: ModeName
  readonly title: string
  readonly contenders: Partial<Record<ContenderName, ContenderResult>>
  /** CPU time of our server divided by another server's, for each round. */
  readonly ratios: Partial<Record<Exclude<ContenderName, 'ours'>, Summary>>
}

/** A whole run; nothing in it says when or where it was. */
export interface BenchResult {
  readonly machine: {
    readonly cores: number
    readonly architecture: string
    readonly platform: string
    readonly node: string
    readonly loadGenerator: string
    readonly usageSource: string
  }
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly modes: readonly ModeResult[]
  readonly library?: LibraryResult
  readonly startUp?: StartUpResult
  readonly throughEnvoy?: ThroughEnvoyResult
  readonly settings?: SettingsResult
}

/** Our server with and without settings. */
export interface SettingsResult {
  readonly groups: readonly SettingGroupResult[]
}

export interface SettingGroupResult {
  readonly title: string
  readonly settings: readonly SettingResult[]
}

export interface SettingResult {
  readonly title: string
  readonly cpuMicrosPerCheck: Summary
  readonly checksPerSecond: Summary
  /** CPU time divided by the first setting's, for each round; `undefined` for the first one. */
  readonly ratio?: Summary
  /** Spans that a collector received; the SDK drops those for which its queue has no place. */
  readonly spansPerCheck: number
}

/** Requests through Envoy, which asks nobody first, then each of the others: see `startWays`. */
export interface ThroughEnvoyResult {
  readonly ways: readonly WayThroughEnvoy[]
}

export interface WayThroughEnvoy {
  readonly title: string
  /** `undefined` where the broker is not asked. */
  readonly brokerMicros: Summary | undefined
  readonly envoyMicros: Summary
  readonly requestsPerSecond: Summary
  /** Of one request at a time. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  /** Compares the way with the first one in the same round; `undefined` for the first one. */
  readonly added?: AddedThroughEnvoy
}

export interface AddedThroughEnvoy {
  /** CPU time of Envoy and the broker for each request. */
  readonly cpuMicros: Summary
  /** The same CPU time with what was there before, divided by the first way's. */
  readonly cpuRatio: Summary
  readonly p50Ms: Summary
  readonly p99Ms: Summary
}

/** Calls of the library and its cache, inside one process. */
export interface LibraryResult {
  readonly calls: readonly CallFigures[]
  readonly cache: CacheFigures
}

/** From the start of a process to its first answered check. */
export interface StartUpResult {
  readonly starts: number
  readonly ours: StartUpFigures
  readonly go?: StartUpFigures
}

export interface StartUpFigures {
  readonly milliseconds: Summary
  readonly cpuMilliseconds: Summary
  readonly rssBytes: Summary
}
