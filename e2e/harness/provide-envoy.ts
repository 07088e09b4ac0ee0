import { findEnvoy } from '@broker/testing'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The Envoy binary, or `undefined`: every test is skipped then. */
    envoyBinary: string | undefined
  }
}

/** Looks for Envoy once; without one says so in a line, or fails when REQUIRE_ENVOY is set. */
export async function setup(project: TestProject): Promise<void> {
  const { path: envoyBinary, reason } = await findEnvoy()
  if (envoyBinary === undefined) {
    if (process.env['REQUIRE_ENVOY']) throw new Error(`REQUIRE_ENVOY is set. ${reason}`)
    console.warn(`\nThe tests with a real Envoy are skipped. ${reason}\n`)
  }
  project.provide('envoyBinary', envoyBinary)
}
