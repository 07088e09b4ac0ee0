import type { MaybePromise } from '@broker/core'

/** A parser, inputs to begin with, and what must hold for every input. */
export interface Target {
  /** In kebab-case; also the folder of its corpus. */
  readonly name: string
  /** Valid inputs, and some that are refused late. */
  readonly seeds: readonly (string | Uint8Array)[]
  /** Pieces that mutations insert. */
  readonly dictionary?: readonly (string | Uint8Array)[]
  /** Whether mutations may replace a value inside a JSON text. */
  readonly isJson?: boolean
  /** The longest input; default 8 KiB. */
  readonly maxBytes?: number
  /** CPU time for one input, in milliseconds; default 50. */
  readonly maxCpuMs?: number
  /** The files of the parser, from the top of the repository, for the coverage. */
  readonly sources: readonly string[]
  /** Parses an input, and throws or rejects when something that must hold does not. */
  judge(input: Buffer): MaybePromise<void>
}

/** The default of {@link Target.maxBytes}. */
export const defaultMaxBytes = 8_192

/** The default of {@link Target.maxCpuMs}: far more than any parser needs for 8 KiB. */
export const defaultMaxCpuMs = 50
