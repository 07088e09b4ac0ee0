import { describe, expect, it } from 'vitest'
import { startDevDex, startRealDex } from '../src/index.ts'

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
