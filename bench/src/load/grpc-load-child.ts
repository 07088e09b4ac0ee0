// Frames are written as bytes: Node's own HTTP/2 client needs more CPU time for a check than the servers under measurement.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkPath, grpcFrame } from '../grpc/grpc-answer.ts'
import {
  flag,
  frameHeaderBytes,
  frameType,
  h2Frame,
  h2Opening,
  headerBlock,
  windowUpdate,
} from './h2-frames.ts'
import type { Load, LoadResult } from './load.ts'
import { type OpenLoad, serveLoad } from './load-child.ts'
import { loadSocket } from './load-socket.ts'

const nsPerMs = 1e6
const connectionCount = 2
/** The server refills its own window at half of 64 KiB; the requests under way must fit in the other half. */
const mostBytesUnderWay = 32 * 1024
const windowBytes = 2 ** 30

serveLoad(open)

async function open(load: Load): Promise<OpenLoad> {
  const sockets = await Promise.all(Array.from({ length: connectionCount }, () => loadSocket(load, 'h2')))
  return { run: () => run(load, sockets) }
}

async function run(
  { requestsFile, connections: checksAtATime, seconds }: Load,
  sockets: readonly Socket[],
): Promise<LoadResult> {
  const data = grpcFrame(readFileSync(requestsFile))
  if (data.length * checksAtATime > mostBytesUnderWay) throw new Error('too many bytes under way at a time')
  const headers = headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': checkPath,
    ':authority': 'dex_token_broker',
    te: 'trailers',
    'grpc-timeout': '6000m',
    'content-type': 'application/grpc',
  })
  const request = Buffer.concat([
    h2Frame(frameType.headers, flag.endHeaders, 0, headers),
    h2Frame(frameType.data, flag.endStream, 0, data),
  ])
  const dataAt = frameHeaderBytes + headers.length

  const latency = createHistogram()
  let answered = 0
  let errors = 0
  let stopping = false
  /** All answers are the same, so they are of one length. */
  let answerBytes = 0

  function keepBusy(socket: Socket, streamsAtATime: number): void {
    const sentAt = new Map<number, bigint>()
    const received = new Map<number, number>()
    let nextStream = 1
    let unacknowledged = 0
    let rest: Buffer = Buffer.alloc(0)

    const send = () => {
      const bytes = Buffer.from(request)
      bytes.writeUInt32BE(nextStream, 5)
      bytes.writeUInt32BE(nextStream, dataAt + 5)
      sentAt.set(nextStream, process.hrtime.bigint())
      nextStream += 2
      socket.write(bytes)
    }
    const ended = (stream: number) => {
      latency.record(process.hrtime.bigint() - (sentAt.get(stream) ?? 0n))
      sentAt.delete(stream)
      const length = received.get(stream) ?? 0
      received.delete(stream)
      answerBytes ||= length
      answered++
      if (length === 0 || length !== answerBytes) errors++
      if (!stopping) send()
    }
    const take = (type: number, flags: number, stream: number, payload: Buffer) => {
      if (type === frameType.data) {
        received.set(stream, (received.get(stream) ?? 0) + payload.length)
        unacknowledged += payload.length
      }
      if (type === frameType.data || type === frameType.headers) {
        if (flags & flag.endStream) ended(stream)
      } else if (type === frameType.ping || type === frameType.settings) {
        if (!(flags & flag.ack))
          socket.write(h2Frame(type, flag.ack, 0, type === frameType.ping ? payload : new Uint8Array()))
      } else if (type !== frameType.windowUpdate) errors++
    }

    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      // All requests that one chunk causes are one write.
      socket.cork()
      while (bytes.length - at >= frameHeaderBytes) {
        const end = at + frameHeaderBytes + bytes.readUIntBE(at, 3)
        if (bytes.length < end) break
        const payload = bytes.subarray(at + frameHeaderBytes, end)
        take(bytes[at + 3] as number, bytes[at + 4] as number, bytes.readUInt32BE(at + 5), payload)
        at = end
      }
      rest = bytes.subarray(at)
      if (unacknowledged > windowBytes / 2) {
        socket.write(windowUpdate(unacknowledged))
        unacknowledged = 0
      }
      socket.uncork()
    })
    socket.on('error', () => errors++)
    socket.on('end', () => {
      if (!stopping) errors++
    })
    socket.write(h2Opening(windowBytes))
    for (let count = 0; count < streamsAtATime; count++) send()
  }

  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  for (const [index, socket] of sockets.entries()) {
    keepBusy(socket, Math.ceil((checksAtATime - index) / connectionCount))
  }
  // real time: the length of the measurement
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
