import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { BrokerError, createFetch, type TokenBroker } from '@broker/core'
import express from 'express'
import { expect, test } from 'vitest'
import { attachToken, brokerErrorHandler, requireJwt } from '../src/index.ts'
import { startSetting } from './express-setting.ts'
import { listening } from './listening.ts'

const adapterFolder = path.join(import.meta.dirname, '..')
const coreFolder = path.dirname(createRequire(import.meta.url).resolve('@broker/core/package.json'))

interface SecondCopy extends AsyncDisposable {
  /** Where `second` is the copy, and `@broker/*` are the packages that the tests use. */
  readonly folder: string
  readonly core: typeof import('@broker/core')
}

/** Another installed copy of the core's build, as npm makes one when two dependencies ask for different versions. */
async function installSecondCopy(): Promise<SecondCopy> {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'two-copies-'))
  const second = path.join(folder, 'node_modules', 'second')
  await cp(path.join(coreFolder, 'dist'), path.join(second, 'dist'), { recursive: true })
  await cp(path.join(coreFolder, 'package.json'), path.join(second, 'package.json'))
  await symlink(path.join(coreFolder, 'node_modules'), path.join(second, 'node_modules'))
  await mkdir(path.join(folder, 'node_modules', '@broker'))
  await symlink(coreFolder, path.join(folder, 'node_modules', '@broker', 'core'))
  await symlink(adapterFolder, path.join(folder, 'node_modules', '@broker', 'express-adapter'))
  await symlink(
    path.join(adapterFolder, 'node_modules', '@types'),
    path.join(folder, 'node_modules', '@types'),
  )
  return {
    folder,
    core: await import(pathToFileURL(path.join(second, 'dist', 'index.js')).href),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

test('a broker of another installed copy of the core works with this one, invalidate and errors included', async () => {
  await using second = await installSecondCopy()
  await using setting = await startSetting()
  const { dex, backend } = setting
  const client = { clientId: 'portal', clientSecret: 'portal-secret' }
  await using broker = new second.core.TokenBroker({
    tokenEndpoint: dex.tokenEndpoint,
    client,
    gate: { jwksUri: dex.jwksUri },
  })
  await using own = setting.broker
  expect(broker).not.toBeInstanceOf(own.constructor as typeof TokenBroker)

  const app = express().use('/gate', requireJwt(broker)).use(attachToken(broker))
  app.use((request, response) => void response.send(request.headers.authorization)).use(brokerErrorHandler())
  await using server = await listening(app)
  const bearer = async () => `Bearer ${(await broker.getToken()).accessToken}`
  expect(await (await fetch(server.url)).text()).toBe(await bearer())
  const refusal = await fetch(`${server.url}/gate`)
  expect([refusal.status, refusal.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('Bearer'),
  ])

  const call = createFetch(broker, { allow: [backend.url] })
  const refused = await broker.getToken()
  backend.answer = ({ headers }, response) => {
    response.writeHead(headers.authorization === `Bearer ${refused.accessToken}` ? 401 : 200).end()
  }
  expect((await call(backend.url)).status).toBe(200)
  expect(broker.peekToken()?.accessToken).not.toBe(refused.accessToken)

  await broker.close()
  const error = await broker.getToken().catch((reason: unknown) => reason)
  expect(error).not.toBeInstanceOf(BrokerError)
  expect(BrokerError.is(error)).toBe(true)
  expect((await fetch(server.url)).status).toBe(503)
})

test('the types of two copies fit each other', async () => {
  await using second = await installSecondCopy()
  const use = `
    import { type Broker, createFetch, type IssuedToken, refusalOf } from '@broker/core'
    import { tokenInterceptor } from '@broker/core/undici'
    import { attachToken, requireJwt } from '@broker/express-adapter'
    import { type BrokerError, TokenBroker } from 'second'
    const theirs = new TokenBroker({ tokenEndpoint: 'https://dex.example.com/token' })
    const broker: Broker = theirs
    const allow = ['https://api.example.com']
    export const made = [createFetch(theirs, { allow }), tokenInterceptor(theirs, { allow }), attachToken(theirs), requireJwt(theirs)]
    export const token: Promise<IssuedToken> = theirs.getToken()
    export const dropped = async (): Promise<boolean> => broker.invalidate(await token)
    export const refusal = (error: BrokerError) => refusalOf(error)
  `
  await writeFile(path.join(second.folder, 'use.mts'), use)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2024', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    preserveSymlinks: true,
  }
  await writeFile(
    path.join(second.folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use.mts'] }),
  )
  const tsc = path.join(adapterFolder, 'node_modules', '.bin', 'tsc')
  const { stdout } = await promisify(execFile)(tsc, ['-p', second.folder]).catch(
    (error: { stdout: string }) => error,
  )
  expect(stdout).toBe('')
})
