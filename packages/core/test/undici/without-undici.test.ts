import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** What a process has loaded of undici, as a package, after it imported a module of ours. */
async function loadedAfterImport(module: string): Promise<{ modules: string[]; dispatchers: string[] }> {
  const program = `
    import { registerHooks } from 'node:module'
    const modules = []
    registerHooks({
      load(url, context, next) {
        if (/undici/.test(url) && !url.includes('/src/undici/')) modules.push(url)
        return next(url, context)
      },
    })
    await import(${JSON.stringify(new URL(module, import.meta.url).href)})
    const dispatchers = Object.getOwnPropertySymbols(globalThis).map(String).filter(name => name.includes('undici'))
    console.log(JSON.stringify({ modules, dispatchers }))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  return JSON.parse(stdout)
}

test.each(['../../src/index.ts', '../../src/undici/index.ts'])(
  'importing %s loads nothing of undici, and leaves the global dispatcher unset',
  async module => {
    expect(await loadedAfterImport(module)).toEqual({ modules: [], dispatchers: [] })
  },
)

test('the proof would see undici', async () => {
  const { modules, dispatchers } = await loadedAfterImport('./clients.ts')
  expect(modules.length).toBeGreaterThan(0)
  expect(dispatchers.length).toBeGreaterThan(0)
})
