import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { exitStatus } from '../command-line/exit-status.ts'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import { Refusal } from '../config/values/refusal.ts'
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
  await run()
} catch (error) {
  const { message: reason, exitCode } = failureOfArguments(error)
  reportFailure({ call: 'arguments', reason, logFile: logFileAnyway(), isHidden: true })
  await end(exitCode)
}

async function run(): Promise<void> {
  const given = helperArguments(args, process.env)
  if (given.verb === 'help') print(helperHelp())
  else if (given.verb === 'version') print(`terraform-credentials-dex ${version()}\n`)
  else await answer(given)
}

function failureOfArguments(error: unknown): HelperFailure {
  if (error instanceof HelperFailure) return error
  if (error instanceof WrongArguments)
    return new HelperFailure(`${error.message}; try terraform-credentials-dex --help`, exitStatus.wrongUsage)
  return error instanceof Refusal ? new HelperFailure(error.message) : unexpected(error)
}

/** A log file below a home folder that does not exist is not written. */
function logFileAnyway(): string | undefined {
  try {
    return logFileIn(args, process.env)
  } catch {
    return undefined
  }
}

async function answer(given: HelperArguments): Promise<void> {
  const { verb, host, logFile } = given
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
  return error instanceof HelperFailure ? error : unexpected(error)
}

function unexpected(error: unknown): HelperFailure {
  return new HelperFailure((error as Error).stack ?? String(error))
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
  try {
    writeFileSync(standardOutput, text)
  } catch (error) {
    throw new HelperFailure(`cannot write to standard output (${(error as NodeJS.ErrnoException).code})`)
  }
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
