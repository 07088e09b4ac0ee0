import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ManagedProcess } from '@broker/testing'

const warmUpChecks = 12_000
const blocks = 3
const checksInABlock = 3_000

const probe = fileURLToPath(new URL('allocation-probe.ts', import.meta.url))

/** A server under the probe; without background threads, so that code is optimized at the same point in each run. */
export function startProbed(
  script: string,
  args: readonly string[],
  env: Record<string, string>,
  preload?: string,
): ManagedProcess {
  const preloads = [probe, ...(preload === undefined ? [] : [preload])]
  const nodeOptions = ['--single-threaded', ...preloads.flatMap(each => ['--import', each])]
  return new ManagedProcess('the server', process.execPath, [...nodeOptions, script, ...args], {
    env,
    ipc: true,
  })
}

/** Bytes that a server allocates for each check: the least of several blocks, for work that is done now and then. */
export async function bytesPerCheck(server: ManagedProcess, port: number, check: string): Promise<number> {
  const connection = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1')
  await once(connection, 'connect')
  try {
    await send(connection, check, warmUpChecks)
    let least = Number.POSITIVE_INFINITY
    for (let block = 0; block < blocks; block++) {
      const before = await allocatedBytes(server)
      await send(connection, check, checksInABlock)
      least = Math.min(least, ((await allocatedBytes(server)) - before) / checksInABlock)
    }
    return least
  } finally {
    connection.destroy()
  }
}

async function allocatedBytes(server: ManagedProcess): Promise<number> {
  const bytes = await server.ask<number | null>('allocated')
  if (bytes === null)
    throw new Error(`Node.js ${process.version} does not count allocated bytes: use the pinned one`)
  return bytes
}

/** One after the other, all answered with 200 and without a body. */
async function send(connection: ReturnType<typeof connect>, check: string, count: number): Promise<void> {
  let rest = count
  let received = ''
  await new Promise<void>((resolve, reject) => {
    const finish = (error?: Error) => {
      connection.removeAllListeners('data').removeAllListeners('close')
      if (error) reject(error)
      else resolve()
    }
    connection.on('close', () => finish(new Error('the server closed the connection')))
    connection.on('data', (text: string) => {
      received += text
      if (!received.endsWith('\r\n\r\n')) return
      if (!received.startsWith('HTTP/1.1 200 ')) return finish(new Error(`not let through:\n${received}`))
      received = ''
      if (--rest === 0) finish()
      else connection.write(check)
    })
    connection.write(check)
  })
}
