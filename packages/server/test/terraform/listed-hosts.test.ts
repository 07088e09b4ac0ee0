import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Steps } from '../../src/terraform/steps.ts'
import { tokenOfHost } from '../../src/terraform/token-of-host.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'terraform-hosts-'))
const hostsFile = path.join(folder, 'hosts.yaml')
let dex: DevDex
beforeAll(async () => {
  dex = await startDevDex({ clients: [{ id: 'ci', secret: 'the-secret' }] })
  const hosts = ['Registry.example.com', 'registry.example.com:8443', 'café.example.com']
  writeFileSync(hostsFile, `hosts:\n${hosts.map(host => `  ${host}: {}\n`).join('')}`)
})
beforeEach(() => dex.resetRecords())
afterAll(async () => {
  await dex.close()
  rmSync(folder, { recursive: true })
})

function tokenOf(host: string): Promise<string | undefined> {
  const env = {
    DEX_ISSUER: dex.issuer,
    ALLOW_INSECURE_DEX_URL: 'true',
    STATIC_CLIENT_ID: 'ci',
    STATIC_CLIENT_SECRET: 'the-secret',
  }
  const steps = new Steps({ tell: () => {} })
  const call = { host, hostsFile, configFile: undefined }
  return tokenOfHost(call, env, steps, new AbortController().signal)
}

test.each([
  'registry.example.com',
  'REGISTRY.example.com',
  'registry.example.com:443',
  'registry.example.com:8443',
  'xn--caf-dma.example.com',
])('%s is listed, and gets a token', async host => {
  expect(await tokenOf(host)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(dex.counts.tokenRequests).toBe(1)
})

test.each([
  'registry.opentofu.org',
  'example.com',
  'a.registry.example.com',
  'registry.example.com.',
  'registry.example.com:80',
  'registry.example.com.evil.example',
  'registry.example.com@evil.example',
  'https://registry.example.com',
  'registry.example.com/',
  ' registry.example.com',
  '__proto__',
])('%s is not listed, and Dex is not asked', async host => {
  expect(await tokenOf(host)).toBeUndefined()
  expect(dex.counts).toMatchObject({ tokenRequests: 0, discoveryRequests: 0 })
})
