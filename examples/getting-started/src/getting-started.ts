// Replays the sessions that docs/getting-started-node.md and docs/getting-started-express.md show, file by file, and
// fails when an output is another one. It uses free ports, because the pages' ports may be taken.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { freePort, ManagedProcess } from '@broker/testing'

const root = path.resolve(import.meta.dirname, '..')

await replay('node', ['dex', 'token', 'orders', 'call', 'wrong-secret'])
await replay('express', ['dex', 'orders', 'app', 'calls'])

async function replay(reader: string, sessions: readonly string[]): Promise<void> {
  const ports = new Map<string, string>()
  for (const port of ['5600', '3001', '3000']) ports.set(port, String(await freePort()))
  // Inside this package, so that the files find what they import.
  const folder = await mkdtemp(path.join(root, `.${reader}-`))
  await using running = new AsyncDisposableStack()
  running.defer(() => rm(folder, { recursive: true }))
  for (const file of await readdir(path.join(root, reader))) {
    const text = await readFile(path.join(root, reader, file), 'utf8')
    await writeFile(path.join(folder, file), withPorts(text, ports))
  }
  for (const session of sessions) {
    const text = await readFile(path.join(folder, `${session}.console`), 'utf8')
    for (const { command, output } of exchanges(text)) {
      assert.equal(
        await outputOf(command, output, folder, running),
        output,
        `${reader}/${session}.console: ${command}`,
      )
    }
  }
  console.log(`docs/getting-started-${reader}.md: ${sessions.length} sessions as the page shows them`)
}

function withPorts(text: string, ports: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\b(?:5600|3001|3000)\b/g, port => ports.get(port) ?? port)
}

/** Each `$ command` of a session with the lines that follow it. */
function exchanges(session: string): { command: string; output: string }[] {
  return session
    .split(/^\$ /m)
    .slice(1)
    .map(exchange => {
      const end = exchange.indexOf('\n')
      return { command: exchange.slice(0, end), output: exchange.slice(end + 1) }
    })
}

async function outputOf(
  command: string,
  expected: string,
  folder: string,
  running: AsyncDisposableStack,
): Promise<string> {
  const [program, argument] = command.split(' ')
  assert.ok(argument)
  // curl itself is not everywhere; the pages use it for plain GET requests only.
  if (program === 'curl') return `${await (await fetch(argument)).text()}\n`
  assert.equal(program, 'node')
  const started = running.use(new ManagedProcess(command, process.execPath, [path.join(folder, argument)]))
  // A server keeps running: its output so far counts.
  await started.until('output', () =>
    started.hasEnded || started.log.length >= expected.length ? true : undefined,
  )
  if (started.hasEnded) await started.ended()
  return started.log
}
