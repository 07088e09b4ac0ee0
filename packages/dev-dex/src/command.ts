#!/usr/bin/env node
// Imports nothing that needs a newer Node: an old Node would fail with a SyntaxError before the message below.
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [neededMajor = 0, neededMinor = 0] = /(\d+)\.(\d+)/.exec(engines.node)?.slice(1).map(Number) ?? []
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) {
  await import('./command/cli.ts')
} else {
  process.stderr.write(`dev-dex needs Node.js ${engines.node}; this is ${process.version}\n`)
  process.exitCode = 1
}
