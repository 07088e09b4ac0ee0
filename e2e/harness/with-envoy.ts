import { type Need, needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { type System, type SystemOptions, startSystem } from './system.ts'

const envoyBinary = inject('envoyBinary')

/** A `describe` that is skipped without Envoy, or without something else that it needs. */
export function describeWithEnvoy(
  name: string,
  tests: () => void,
  others: Readonly<Partial<Record<Need, boolean>>> = {},
): void {
  describe(name, needs({ ...others, ENVOY_BIN: envoyBinary !== undefined }), tests)
}

/** The binary, for those who start Envoy themselves. */
export function requireEnvoy(): string {
  if (envoyBinary === undefined) throw new Error('without Envoy the tests should have been skipped')
  return envoyBinary
}

/** Runs a system for the tests of a `describe`; gives a function that hands it out. */
export function useSystem(options: () => SystemOptions | Promise<SystemOptions> = () => ({})): () => System {
  let system: System | undefined
  beforeAll(async () => {
    system = await startSystem(requireEnvoy(), await options())
  })
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]()
  })
  return () => {
    if (system === undefined) throw new Error('the system runs during tests only')
    return system
  }
}
