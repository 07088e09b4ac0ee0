import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Load, LoadResult } from './load.ts'

const nsPerMs = 1e6

process.once('message', async (load: Load) => {
  process.send?.(await run(load))
  process.disconnect?.()
})

async function run({ port, requestsFile, firstRequest, connections, seconds }: Load): Promise<LoadResult> {
  const requests = readFileSync(requestsFile, 'latin1')
    .split('\0')
    .map(text => Buffer.from(text, 'latin1'))
  const latency = createHistogram()
  let position = firstRequest
  let answered = 0
  let errors = 0
  let stopping = false

  function keepBusy(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let sentAt = 0n
    let received = ''
    const send = () => {
      sentAt = process.hrtime.bigint()
      socket.write(requests[position++ % requests.length] as Buffer)
    }
    socket.setEncoding('latin1')
    socket.on('connect', send)
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
    return socket
  }

  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const sockets = Array.from({ length: connections }, keepBusy)
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
