import { parentPort, workerData } from 'node:worker_threads'
import { reportFailure, timeoutReason } from './failure-report.ts'
import type { WatchedCall } from './watchdog.ts'

const { deadlineMs, remainingMs, ...call } = workerData as WatchedCall
let step = 'starting'
parentPort?.on('message', told => {
  step = told
})
setTimeout(() => {
  reportFailure({ ...call, reason: timeoutReason(deadlineMs, step) })
  // An exit would wait for the thread that hangs.
  process.kill(process.pid, 'SIGKILL')
}, remainingMs)
