import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Load, LoadResult } from './load.ts'
import { type OpenLoad, serveLoad } from './load-child.ts'
import { loadSocket } from './load-socket.ts'

const nsPerMs = 1e6

serveLoad(open)

async function open(load: Load): Promise<OpenLoad> {
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, () => loadSocket(load, 'http/1.1')),
  )
  return { run: () => run(load, sockets) }
}

async function run(
  { requestsFile, firstRequest, seconds }: Load,
  sockets: readonly Socket[],
): Promise<LoadResult> {
  const requests = readFileSync(requestsFile, 'latin1')
    .split('\0')
    .map(text => Buffer.from(text, 'latin1'))
  const latency = createHistogram()
  let position = firstRequest
  let answered = 0
  let errors = 0
  let stopping = false

  function keepBusy(socket: Socket): void {
    let sentAt = 0n
    let received = ''
    const send = () => {
      sentAt = process.hrtime.bigint()
      socket.write(requests[position++ % requests.length] as Buffer)
    }
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      received += text
      if (!isComplete(received)) return
      latency.record(process.hrtime.bigint() - sentAt)
      answered++
      if (!received.startsWith('HTTP/1.1 200 ')) errors++
      received = ''
      if (!stopping) send()
    })
    socket.on('error', () => errors++)
    socket.on('end', () => {
      if (!stopping) errors++
    })
    send()
  }

  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  for (const socket of sockets) keepBusy(socket)
  await sleep(seconds * 1000)
  stopping = true
  const elapsedS = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  for (const socket of sockets) socket.destroy()
  const percentile = (percent: number) => latency.percentile(percent) / nsPerMs
  return {
    requests: answered,
    seconds: elapsedS,
    errors,
    latencyMs: { p50: percentile(50), p99: percentile(99), p999: percentile(99.9) },
    generatorCpuSeconds: (cpu.user + cpu.system) / 1e6,
  }
}

/** One request at a time, so one answer at a time; it has to say how long it is. */
function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(received)
  return received.length >= headEnd + 4 + Number(length?.[1] ?? 0)
}
