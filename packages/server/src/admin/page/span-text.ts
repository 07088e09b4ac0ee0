import type { Activity } from './activity.ts'
import { elapsedText } from './elapsed-text.ts'
import { observationIntervalMs } from './recent-activity.ts'

/** The span that recent events are counted in, in words. */
export function spanText({ spanMs }: Pick<Activity, 'spanMs'>): string {
  // Only right after a start is it shorter.
  return spanMs < observationIntervalMs ? 'since the start' : `in the last ${elapsedText(spanMs)}`
}
