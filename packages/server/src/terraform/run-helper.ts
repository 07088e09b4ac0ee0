import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { exitStatus } from '../command-line/exit-status.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import { version } from '../version.ts'
import { reportFailure, timeoutReason } from './failure-report.ts'
import { type HelperArguments, helperArguments, helperHelp, logFileIn } from './helper-arguments.ts'
import { HelperFailure } from './helper-failure.ts'
import { Steps } from './steps.ts'
import { tokenOfHost } from './token-of-host.ts'
import { Watchdog } from './watchdog.ts'

/** OpenTofu and Terraform wait for ever, so the helper must not. */
const deadlineMs = 7_000
/** For a main thread that is blocked. Both count from the start of the process. */
const killAfterMs = 8_000
/** For a thread that is about to end. A kill would hide the exit status. */
const closingMs = 200
const standardOutput = 1

const args = process.argv.slice(2)
try {
  await answer(helperArguments(args, process.env))
} catch (error) {
  if (!(error instanceof WrongArguments)) throw error
  const reason = `${error.message}; try terraform-credentials-dex --help`
  reportFailure({ call: 'arguments', reason, logFile: logFileIn(args), isHidden: true })
  await end(exitStatus.wrongUsage.code)
}

async function answer(given: HelperArguments): Promise<void> {
  const { verb, host, logFile } = given
  if (verb === 'help') return print(helperHelp())
  if (verb === 'version') return print(`terraform-credentials-dex ${version()}\n`)
  // Nothing is stored, so there is nothing to forget.
  if (verb === 'forget') return
  const call = { call: `${verb} ${host}`, logFile, isHidden: verb === 'get' }
  const steps = new Steps(
    new Watchdog({ ...call, deadlineMs: killAfterMs, remainingMs: remainingOf(killAfterMs) }),
  )
  const signal = AbortSignal.timeout(remainingOf(deadlineMs))
  const aborted = once(signal, 'abort').then(() => Promise.reject(signal.reason))
  try {
    const work = verb === 'store' ? refuseToStore(steps) : tokenOfHost(given, process.env, steps, signal)
    const token = await Promise.race([work, aborted])
    print(`${JSON.stringify(token === undefined ? {} : { token })}\n`)
    await end(0)
  } catch (error) {
    const { message: reason, exitCode } = failureOf(error, signal, steps)
    reportFailure({ ...call, reason })
    await end(exitCode)
  }
}

function failureOf(error: unknown, signal: AbortSignal, { step }: Steps): HelperFailure {
  if (error === signal.reason)
    return new HelperFailure(timeoutReason(deadlineMs, step), exitStatus.unavailable)
  return error instanceof HelperFailure ? error : new HelperFailure((error as Error).stack ?? String(error))
}

/** The rest of a time that began with the process. */
function remainingOf(timeMs: number): number {
  return Math.max(0, Math.floor(timeMs - performance.now()))
}

/** The protocol wants the whole input read first. */
async function refuseToStore(steps: Steps): Promise<never> {
  steps.begin('reading standard input, which does not end')
  for await (const _ of process.stdin);
  throw new HelperFailure(
    'tokens come from Dex for each run and are not stored; list the host in the hosts file instead',
    exitStatus.wrongUsage,
  )
}

function print(text: string): void {
  writeSync(standardOutput, text)
}

/** Ends the process now. Node would wait for connections, and for a thread that resolves a name or waits for a file system. */
async function end(code: number): Promise<never> {
  // An exit waits for the thread, too. With a token, it has ended. One that only closes a file ends in a moment.
  if (code !== 0 && !(await threadsEnd())) process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}

/** Whether every thread of Node ends before `closingMs` have passed. */
async function threadsEnd(): Promise<boolean> {
  const giveUpAt = performance.now() + closingMs
  while (isInThread() && performance.now() < giveUpAt) await setTimeout(1)
  return !isInThread()
}

function isInThread(): boolean {
  return process.getActiveResourcesInfo().some(each => /^(?:GetAddrInfo|FS)Req/.test(each))
}
