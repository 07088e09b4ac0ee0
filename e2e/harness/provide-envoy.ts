import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The Envoy binary, or `undefined`: every test is skipped then. */
    envoyBinary: string | undefined
  }
}

const finder = fileURLToPath(new URL('../../scripts/find-envoy.mjs', import.meta.url))

/** Looks for Envoy once; without one says so in a line, or fails when REQUIRE_ENVOY is set. */
export function setup(project: TestProject): void {
  const { stdout, stderr } = spawnSync(process.execPath, [finder], { encoding: 'utf8' })
  const envoyBinary = stdout.trim() || undefined
  if (envoyBinary === undefined) {
    if (process.env['REQUIRE_ENVOY']) throw new Error(`REQUIRE_ENVOY is set. ${stderr.trim()}`)
    console.warn(`\nThe tests with a real Envoy are skipped. ${stderr.trim()}\n`)
  }
  project.provide('envoyBinary', envoyBinary)
}
