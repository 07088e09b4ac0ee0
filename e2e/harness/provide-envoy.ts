import type { TestProject } from 'vitest/node'
import { findEnvoy } from '../../scripts/find-envoy.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** The Envoy binary, or `undefined`: every test is skipped then. */
    envoyBinary: string | undefined
  }
}

/** Looks for Envoy once; without one says so in a line, or fails when REQUIRE_ENVOY is set. */
export async function setup(project: TestProject): Promise<void> {
  const { path, reason } = await findEnvoy()
  if (path === undefined) {
    if (process.env['REQUIRE_ENVOY'])
      throw new Error(`REQUIRE_ENVOY is set, and there is no Envoy: ${reason}`)
    console.warn(`\nThe tests with a real Envoy are skipped: ${reason}\n`)
  }
  project.provide('envoyBinary', path)
}
