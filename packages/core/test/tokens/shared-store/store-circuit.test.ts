import { describe, expect, test } from 'vitest'
import { StoreCircuit } from '../../../src/tokens/shared-store/store-circuit.ts'
import { ManualClock } from '../../manual-clock.ts'

function newCircuit(): { readonly circuit: StoreCircuit; readonly clock: ManualClock } {
  const clock = new ManualClock()
  return { circuit: new StoreCircuit(clock), clock }
}

function timeOut(circuit: StoreCircuit): boolean | undefined {
  return circuit.begin()?.failed(true)
}

function fail(circuit: StoreCircuit): boolean | undefined {
  return circuit.begin()?.failed(false)
}

describe('the circuit of a store', () => {
  test('opens at the first timeout, because the next call would wait as long', () => {
    const { circuit } = newCircuit()
    expect(timeOut(circuit)).toBe(true)
    expect(circuit.isOpen).toBe(true)
    expect(circuit.begin()).toBeUndefined()
  })

  test('opens at the third error in a row; an answer starts the row again', () => {
    const { circuit } = newCircuit()
    expect([fail(circuit), fail(circuit)]).toEqual([false, false])
    expect(circuit.begin()?.succeeded()).toBe(false)
    expect([fail(circuit), fail(circuit), fail(circuit)]).toEqual([false, false, true])
    expect(circuit.begin()).toBeUndefined()
  })

  test('lets one probe through after a second, and no other call until its end', () => {
    const { circuit, clock } = newCircuit()
    timeOut(circuit)
    clock.advance(999)
    expect(circuit.begin()).toBeUndefined()
    expect(circuit.retryAfterMs).toBe(1)
    clock.advance(1)
    const probe = circuit.begin()
    expect(probe).toBeDefined()
    clock.advance(60_000)
    expect(circuit.begin()).toBeUndefined()
    expect(probe?.succeeded()).toBe(true)
    expect(circuit.isOpen).toBe(false)
    expect(circuit.begin()).toBeDefined()
  })

  test('doubles the pause with each failed probe, up to 15 seconds, and starts again after an answer', () => {
    const { circuit, clock } = newCircuit()
    timeOut(circuit)
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      expect(circuit.retryAfterMs).toBe(pauseMs)
      clock.advance(pauseMs - 1)
      expect(circuit.begin()).toBeUndefined()
      clock.advance(1)
      // A single error of a probe is enough, and it is no opening.
      expect(fail(circuit)).toBe(false)
    }
    clock.advance(15_000)
    expect(circuit.begin()?.succeeded()).toBe(true)
    timeOut(circuit)
    expect(circuit.retryAfterMs).toBe(1_000)
  })

  test('counts calls that began together as one timeout', () => {
    const { circuit } = newCircuit()
    const calls = [circuit.begin(), circuit.begin(), circuit.begin()]
    expect(calls.map(call => call?.failed(true))).toEqual([true, false, false])
    expect(circuit.retryAfterMs).toBe(1_000)
  })

  test('learns nothing from the late end of a call from before it opened', () => {
    const { circuit, clock } = newCircuit()
    const [late, later] = [circuit.begin(), circuit.begin()]
    timeOut(circuit)
    expect(late?.succeeded()).toBe(false)
    expect(circuit.isOpen).toBe(true)
    clock.advance(1_000)
    circuit.begin()?.succeeded()
    expect(later?.failed(true)).toBe(false)
    expect(circuit.isOpen).toBe(false)
  })
})
