import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needs } from '@broker/testing/vitest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startDevDex } from '../src/index.ts'
import { type RealDexOptions, startRealDex } from '../src/real-dex.ts'

describe('the launcher of a real Dex', () => {
  it('rejects when there is no such binary', async () => {
    await expect(startRealDex('/nonexistent/dex')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('rejects with the log of a process that ends while it starts', async () => {
    await expect(startRealDex(process.execPath)).rejects.toThrow(/Dex ended while starting:\n[\s\S]*serve/)
  })

  it('rejects with EADDRINUSE when the wanted port is taken', async () => {
    await using taken = await startDevDex()
    const started = startRealDex('/nonexistent/dex', { port: taken.port })
    await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

const binary = process.env['DEX_BIN'] ?? ''

describe('a real Dex', needs({ DEX_BIN: binary !== '' }), () => {
  it('keeps its keys in a SQLite file as long as the file exists', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const sqliteFile = join(folder, 'dex.db')
    const first = await kidsAfterStart({ sqliteFile })
    expect(await kidsAfterStart({ sqliteFile })).toEqual(first)
    await rm(sqliteFile)
    expect(await kidsAfterStart({ sqliteFile })).not.toEqual(first)
  })

  it('names itself by another issuer than it is reached by', async () => {
    await using dex = await startRealDex(binary, { issuer: 'https://dex.example.com/auth' })
    const document = (await (await fetch(dex.discoveryUri)).json()) as Record<string, unknown>
    expect(dex.issuer).toBe('https://dex.example.com/auth')
    expect(dex.jwksUri).toBe(`http://127.0.0.1:${dex.port}/auth/keys`)
    expect(document).toMatchObject({ issuer: dex.issuer, jwks_uri: 'https://dex.example.com/auth/keys' })
  })
})

async function kidsAfterStart(options: RealDexOptions): Promise<readonly string[]> {
  await using dex = await startRealDex(binary, options)
  const { keys } = (await (await fetch(dex.jwksUri)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}
