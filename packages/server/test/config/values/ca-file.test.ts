import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'
import { faultsOf } from '../faults-of.ts'
import { TEST_CERTIFICATE } from '../test-certificate.ts'

let directory: string
const file = (content: string): string => {
  const path = join(directory, 'ca.crt')
  writeFileSync(path, content)
  return path
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'broker-ca-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('DEX_CA_FILE', () => {
  it('is judged in one pass, however many certificates lack their END line', () => {
    const path = file('-----BEGIN CERTIFICATE-----\n'.repeat(20_000))
    const before = process.cpuUsage()
    expect(faultsOf({ DEX_CA_FILE: path })).toEqual([
      `DEX_CA_FILE: ${JSON.stringify(path)} holds no PEM certificate`,
    ])
    // Seconds, where each BEGIN line searched the rest of the file.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000)
  })

  it('gives every certificate of the file, and nothing else that is in it', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'
    const path = file(`# our CA\n${TEST_CERTIFICATE}${key}${TEST_CERTIFICATE}`)
    const config = loadConfig({ DEX_CA_FILE: path })
    expect(config.ca?.path).toBe(path)
    expect(config.ca?.certificates).toBe(TEST_CERTIFICATE + TEST_CERTIFICATE)
  })

  it('is refused when the file does not exist', () => {
    const path = join(directory, 'missing.crt')
    expect(faultsOf({ DEX_CA_FILE: path })).toEqual([`DEX_CA_FILE: ${JSON.stringify(path)} does not exist`])
  })

  it('is refused when it is a directory', () => {
    expect(faultsOf({ DEX_CA_FILE: directory })).toEqual([
      `DEX_CA_FILE: ${JSON.stringify(directory)} is not a file`,
    ])
  })

  it('is refused when the file holds no certificate', () => {
    expect(faultsOf({ DEX_CA_FILE: file('hello') })[0]).toMatch(/holds no PEM certificate$/)
  })

  it('is refused when one of its certificates is broken', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    expect(faultsOf({ DEX_CA_FILE: file(TEST_CERTIFICATE + broken) })[0]).toContain('certificate 2 of 2 in ')
  })
})
