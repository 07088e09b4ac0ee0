// Imports nothing of ours that needs a newer Node: an old Node would fail with a SyntaxError before the message below.
import { readFileSync } from 'node:fs'

/** Whether this Node can run the package; writes a sentence to standard error, and sets the exit code, when it cannot. */
export function isSupportedNode(command: string): boolean {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const [neededMajor = 0, neededMinor = 0] = /(\d+)\.(\d+)/.exec(engines.node)?.slice(1).map(Number) ?? []
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return true
  process.stderr.write(`${command} needs Node.js ${engines.node}; this is ${process.version}\n`)
  process.exitCode = 1
  return false
}
