import { describe, expect, it } from 'vitest'
import { Operand } from '../../src/rules/operand.ts'
import { RuleVariables } from '../../src/rules/rule-variables.ts'
import { requestWith } from './rule-fixtures.ts'

/** An operand that counts its evaluations; it reads the member that `name` says. */
function counting(name: string, value: (variables: RuleVariables) => unknown) {
  const counted = { evaluations: 0 }
  const operand = new Operand(
    'the text',
    variables => {
      counted.evaluations += 1
      return value(variables)
    },
    new Set([name]),
  )
  return { operand, counted }
}

const withHost = (host: string) => new RuleVariables(undefined, requestWith({ host }))
const withMethod = (method: string) => new RuleVariables(undefined, requestWith({ method }))

describe('an operand', () => {
  it('that reads the method only is evaluated once for each method', () => {
    const { operand, counted } = counting('request.method', ({ request }) => request.method === 'GET')
    for (let round = 0; round < 3; round += 1) {
      expect(operand.resultIn(withMethod('GET'))).toBe(true)
      expect(operand.resultIn(withMethod('PUT'))).toBe(false)
      expect(operand.resultIn(withMethod('get'))).toBe(false)
    }
    expect(counted.evaluations).toBe(3)
  })

  it('that reads the host only remembers a failure too', () => {
    const failure = new RangeError('no')
    const { operand, counted } = counting('request.host', ({ request }) => {
      if (request.host === 'a') throw failure
      return 'not a boolean'
    })
    expect([operand.resultIn(withHost('a')), operand.resultIn(withHost('a'))]).toEqual([failure, failure])
    expect(operand.resultIn(withHost('b'))).toMatchObject({ code: 'invalid_logical_operand' })
    expect(counted.evaluations).toBe(2)
  })

  it('remembers 64 hosts, and none that is longer than 256 characters', () => {
    const { operand, counted } = counting('request.host', ({ request }) => request.host.endsWith('7'))
    const hosts = Array.from({ length: 64 }, (_, index) => `host-${index}`)
    for (const host of [...hosts, ...hosts]) expect(operand.resultIn(withHost(host))).toBe(host.endsWith('7'))
    expect(counted.evaluations).toBe(64)
    operand.resultIn(withHost('one more'))
    operand.resultIn(withHost('host-0'))
    expect(counted.evaluations).toBe(66)
    for (const host of ['x'.repeat(256), 'y'.repeat(257)]) {
      operand.resultIn(withHost(host))
      operand.resultIn(withHost(host))
    }
    expect(counted.evaluations).toBe(69)
  })

  it.each([
    'request.path',
    'request.rawPath',
    'request.time',
    'request.headers',
    'context',
    'caller.subject',
  ])('that reads %s is evaluated each time', name => {
    const { operand, counted } = counting(name, () => true)
    operand.resultIn(withMethod('GET'))
    operand.resultIn(withMethod('GET'))
    expect(counted.evaluations).toBe(2)
  })

  it('that reads more than the method is evaluated each time', () => {
    let evaluations = 0
    const operand = new Operand(
      '',
      () => {
        evaluations += 1
        return true
      },
      new Set(['request.method', 'request.path']),
    )
    operand.resultIn(withMethod('GET'))
    operand.resultIn(withMethod('GET'))
    expect(evaluations).toBe(2)
  })

  it('fails for a host that cannot be read, and for the next one it does not', () => {
    const repeated = {
      ...requestWith(),
      get host(): string {
        throw new Error('host appears more than once')
      },
    }
    const { operand } = counting('request.host', ({ request }) => request.host === 'a')
    expect(operand.resultIn(new RuleVariables(undefined, repeated))).toBeInstanceOf(Error)
    expect(operand.resultIn(withHost('a'))).toBe(true)
  })
})
