import {
  type BodyName,
  bodies,
  type CodingName,
  clients,
  codings,
  contentTypes,
  type HeadersName,
  headers,
  passesFetch,
  statuses,
  statusesWithoutBody,
  type TransportName,
  type Whose,
} from './answer-columns.ts'
import type { Facts } from './answer-rules.ts'

/** One answer, and whose request gets it: a value of each column. */
export interface Combination {
  readonly status: number
  readonly body: BodyName
  readonly coding: CodingName
  readonly contentType: string
  readonly headers: HeadersName
  readonly whose: Whose
  readonly transport: TransportName
}

/** The broker reads no more of a body. */
const maxBytes = 64 * 1024

/** One status of each kind, and the bodies that tell the most: for what is not combined with everything. */
const telling = [200, 204, 302, 400, 401, 403, 404, 407, 408, 429, 500, 501, 503]
const tellingBodies: readonly BodyName[] = ['invalid_client', 'a page', 'server_error']
const someBodies: readonly BodyName[] = [
  ...tellingBodies,
  'a token',
  'nothing',
  'an empty object',
  'more than 64 KiB',
  'an OAuth error that is not registered',
  'a status phrase as error',
]

const names = <Name extends string>(column: Readonly<Record<Name, unknown>>) => Object.keys(column) as Name[]
const bodyNames = names(bodies)
const whose = names(clients)

/** Bodies, codings, headers and content types with the statuses that tell the most. What a loop leaves out takes turns. */
export function combinations(): readonly Combination[] {
  const found = new Map<string, Combination>()
  let count = 0
  const turn = <Name>(list: readonly Name[]) => list[count % list.length] as Name
  const add = (combination: Partial<Combination> & Pick<Combination, 'status'>) => {
    count++
    // Whether such a body ends early or is too long first depends on the decoder.
    if (
      codings[combination.coding ?? 'none'].reads === 'breaks off' &&
      combination.body === 'more than 64 KiB'
    )
      return
    const hasBody = !statusesWithoutBody.has(combination.status)
    const complete: Combination = {
      coding: 'none',
      contentType: turn(names(contentTypes)),
      headers: 'none',
      whose: turn(whose),
      transport: 'undici',
      ...combination,
      body: hasBody ? (combination.body ?? turn(tellingBodies)) : 'nothing',
    }
    const isTurnOfFetch = count % 3 === 0 && passesFetch(complete)
    const sent: Combination = isTurnOfFetch ? { ...complete, transport: 'fetch' } : complete
    found.set(nameOf(sent), sent)
  }
  for (const status of statuses)
    for (const body of telling.includes(status) ? bodyNames : someBodies) add({ status, body })
  for (const status of [400, 401, 403])
    for (const body of bodyNames) for (const client of whose) add({ status, body, whose: client })
  for (const status of telling)
    for (const body of tellingBodies) {
      for (const coding of names(codings)) add({ status, body, coding })
      for (const name of names(headers)) add({ status, body, headers: name })
    }
  for (const body of bodyNames)
    for (const coding of names(codings)) add({ status: 200, body, coding, headers: turn(names(headers)) })
  for (const status of telling)
    for (const body of ['a token', 'invalid_client'] as const)
      for (const contentType of names(contentTypes)) add({ status, body, contentType })
  return [...found.values()]
}

/** As a failing test names it. */
export function nameOf({
  status,
  body,
  coding,
  contentType,
  headers,
  whose,
  transport,
}: Combination): string {
  return `${status} with ${body} | content-type: ${contentType} | coding: ${coding} | headers: ${headers} | ${whose} | ${transport}`
}

/** Compressing is what takes the most time here. */
const wires = new Map<string, Buffer>()

/** The body as it goes over the wire. */
export function wireOf({ status, body, coding }: Combination): Buffer {
  if (statusesWithoutBody.has(status)) return Buffer.alloc(0)
  const name = `${body} | ${coding}`
  const wire = wires.get(name) ?? codings[coding].encode(bodies[body].bytes)
  wires.set(name, wire)
  return wire
}

export function factsOf(combination: Combination): Facts {
  const { status } = combination
  const body = bodies[combination.body]
  const coding = codings[combination.coding]
  const lines = headers[combination.headers]
  const wire = wireOf(combination)
  const isForeign = coding.reads === 'foreign' && wire.length > 0
  const codingBreaksOff = coding.reads === 'breaks off' && wire.length > 0
  const connectionBreaksOff =
    'framing' in lines &&
    lines.framing === 'a length that is not reached' &&
    // What is longer is not read to its end.
    wire.length <= maxBytes &&
    !statusesWithoutBody.has(status)
  return {
    status,
    holds: isForeign ? 'unreadable' : body.holds,
    error: 'error' in body && !isForeign ? body.error : undefined,
    isJsonObject: body.isJsonObject && !isForeign,
    codingIsUnknown: coding.isUnknown,
    breaksOff: codingBreaksOff || connectionBreaksOff,
    retryAfterMs: 'retryAfterMs' in lines ? lines.retryAfterMs : undefined,
    whose: combination.whose,
  }
}
