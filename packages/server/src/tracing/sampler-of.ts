import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { Config } from '../config/config.ts'

const parentBased = 'parentbased_'

/** Makes the sampler of OTEL_TRACES_SAMPLER. */
export function samplerOf({
  traceSampler,
  traceSamplingRatio,
}: Pick<Config, 'traceSampler' | 'traceSamplingRatio'>): Sampler {
  if (!traceSampler.startsWith(parentBased)) return rootSampler(traceSampler, traceSamplingRatio)
  const root = rootSampler(traceSampler.slice(parentBased.length), traceSamplingRatio)
  return new ParentBasedSampler({ root })
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(ratio)
  return name === 'always_on' ? new AlwaysOnSampler() : new AlwaysOffSampler()
}
