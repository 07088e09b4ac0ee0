import type { Surroundings } from '../shared/surroundings.ts'

/** The surroundings of configured secrets. */
export type SecretSurroundings = Pick<Surroundings, 'clock' | 'logger' | 'sampler' | 'describeHint'>
