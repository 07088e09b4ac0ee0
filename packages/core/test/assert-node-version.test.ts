import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assertNodeVersion } from '../src/shared/assert-node-version.ts'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)?.map(Number) ?? []

test.each(['0.12.18', '18.20.8', '20.20.2', `${major}.${Number(minor) - 1}.0`])(
  'Node %s is refused, and the message says what is needed',
  version => {
    const message = `@broker/core requires Node.js ${major}.${minor} or later; this is ${version}`
    expect(() => assertNodeVersion(version)).toThrow(message)
  },
)

test.each([`${major}.${minor}.0`, `${major}.${Number(minor) + 1}.3`, '24.0.0', '100.1.0', undefined])(
  'Node %s will do',
  version => {
    expect(() => assertNodeVersion(version)).not.toThrow()
  },
)
