import { readFileSync } from 'node:fs'
import { type BrokerPorts, until } from '@broker/testing'
import { expect } from 'vitest'
import { type DoctorReport, doctorReport } from '../harness/doctor-report.ts'

/** A problem as `/status` lists it. */
export interface PageProblem {
  readonly kind: string
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  /** In milliseconds since 1970. */
  readonly since?: number
  readonly action: string
}

/** The part of `/status` that says what is wrong. */
export interface PageStatus {
  /** When it was written, and when the broker started, in milliseconds since 1970. */
  readonly at: number
  readonly startedAt: number
  /** The worst first. */
  readonly problems: readonly PageProblem[]
}

/** The status page and `doctor`, as a person on call uses them. */
export interface OnCallView {
  /** The page as JSON. */
  status(): Promise<PageStatus>
  /** Its problems alone. */
  problems(): Promise<readonly PageProblem[]>
  /** The text of the rendered page, as a person reads it. */
  page(): Promise<string>
  /** Runs `doctor` as in the pod of the broker: with its environment, and while it runs. */
  doctor(args?: readonly string[]): Promise<DoctorReport>
}

type Environment = Readonly<Record<string, string>>

/** The view of a running broker that was started with these variables. */
export function viewOf({ port, adminPort, grpcPort }: BrokerPorts, environment: Environment): OnCallView {
  const admin = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text()
  const status = async () => {
    const { problems, ...rest } = JSON.parse(await admin('/status')) as PageStatus
    // The machine of the tests may be slow; no fault here is about it.
    return { ...rest, problems: problems.filter(({ kind }) => kind !== 'event-loop-lag') }
  }
  return {
    status,
    problems: async () => (await status()).problems,
    page: async () => textOf(await admin('/')),
    doctor: args =>
      doctorReport(
        {
          ...environment,
          LISTEN_ADDR: `127.0.0.1:${port}`,
          ADMIN_ADDR: `127.0.0.1:${adminPort}`,
          ...(grpcPort !== undefined && { GRPC_LISTEN_ADDR: `127.0.0.1:${grpcPort}` }),
        },
        args,
      ),
  }
}

/** Where a fault is named, with the action to take. */
export interface Sighting {
  /** The first problem of the page. Default: the page has no problem. */
  readonly page?: {
    readonly kind: string
    readonly severity?: PageProblem['severity']
    readonly summary: string | RegExp
    readonly action: string | RegExp
    /** A lasting state, whose begin nobody knows. */
    readonly isOfUnknownAge?: boolean
  }
  /** The only failure that `doctor` finds with these arguments, or a warning. Default: it finds no failure. */
  readonly doctor?: {
    readonly args?: readonly string[]
    readonly name: string
    readonly verdict?: 'failed' | 'warning'
    readonly fact: string | RegExp
    readonly advice?: string | RegExp
  }
}

/** Looks at the status page, then runs `doctor`. */
export async function expectSighting(view: OnCallView, { page, doctor }: Sighting): Promise<void> {
  if (page === undefined) expect(await view.problems()).toEqual([])
  else await expectProblem(view, page)
  const report = await view.doctor(doctor?.args)
  const { name, verdict = 'failed', fact, advice } = doctor ?? {}
  const failures = report.findings.filter(each => each.verdict === 'failed').map(each => each.name)
  const isFailure = name !== undefined && verdict === 'failed'
  expect([report.code, failures]).toEqual(isFailure ? [1, [name]] : [0, []])
  if (name === undefined) return
  expect(report.findings.filter(each => each.name === name)).toContainEqual(
    expect.objectContaining({
      verdict,
      fact: matching(fact),
      ...(advice !== undefined && { advice: matching(advice) }),
    }),
  )
}

/** Waits for a problem, reads it as JSON and on the rendered page, and finds its section of the runbook. */
export async function expectProblem(
  view: OnCallView,
  { kind, severity = 'critical', summary, action, isOfUnknownAge = false }: NonNullable<Sighting['page']>,
): Promise<void> {
  await until(async () => (await view.problems()).some(each => each.kind === kind), `the problem ${kind}`)
  const { at, startedAt, problems } = await view.status()
  const [problem] = problems
  expect(problem).toMatchObject({ kind, severity, summary: matching(summary), action: matching(action) })
  if (!isOfUnknownAge) {
    // The configuration is loaded, and requests to Dex begin, a moment before the page starts.
    expect(problem?.since).toBeGreaterThan(startedAt - 10_000)
    expect(problem?.since).toBeLessThanOrEqual(at)
  }
  const page = await view.page()
  expect(page).toMatch(matchingPart(summary))
  expect(page).toMatch(matchingPart(action))
  expect(page).toContain(`Runbook: docs/operations.md#${kind}`)
  expect(runbookAnchors).toContain(kind)
}

const runbookAnchors = [
  ...readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8').matchAll(/^### (.+)$/gm),
].map(([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-'))

/** A text, or a pattern that a text matches. */
function matching(expected: string | RegExp | undefined): unknown {
  return expected instanceof RegExp ? expect.stringMatching(expected) : expected
}

/** The same anywhere in a longer text. */
function matchingPart(expected: string | RegExp): RegExp {
  return expected instanceof RegExp
    ? new RegExp(expected.source.replaceAll(/^\^|\$$/g, ''))
    : new RegExp(RegExp.escape(expected))
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

/** The text of a document, without its scripts and styles. */
function textOf(document: string): string {
  return document
    .replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&[\w#]+;/g, entity => entities[entity] ?? entity)
    .replaceAll(/\s+/g, ' ')
}
