import { caller } from '../dex.ts'
import { expectSame } from '../expectation.ts'
import { credentials, reportOf, visit } from '../scene.ts'
import type { Step } from './step.ts'

const parallelCalls = 200

export const firstCall: Step = {
  name: 'first call',
  async run(scene) {
    const made = await visit(scene, { path: '/first', headers: credentials() })
    const { subject, audience } = reportOf(made)
    expectSame('token requests', made.tokenRequests, 1)
    expectSame('subject', subject, caller.id)
    expectSame('audience', audience, [caller.id])
    return `cache miss, ${inMs(made)}, backend saw subject ${subject}, audience ${audience}`
  },
}

export const secondCall: Step = {
  name: 'second call',
  async run(scene) {
    const made = await visit(scene, { path: '/second', headers: credentials() })
    reportOf(made)
    expectSame('token requests', made.tokenRequests, 0)
    return `cache hit, ${inMs(made)}, no token request`
  },
}

export const parallel: Step = {
  name: `${parallelCalls} calls at once`,
  async run(scene) {
    // A scope that nobody has asked for yet, so that there is no token to be had without Dex.
    const headers = credentials({ scope: 'openid email groups' })
    const calls = Array.from({ length: parallelCalls }, () => ({ path: '/parallel', headers }))
    const made = await visit(scene, ...calls)
    const tokens = new Set(made.answers.map(answer => reportOf({ ...made, answers: [answer] }).tokenHash))
    expectSame('token requests', made.tokenRequests, 1)
    expectSame('different tokens', tokens.size, 1)
    return `for a new token: 1 token request, ${parallelCalls} answers 200 in ${inMs(made)}`
  },
}

function inMs({ milliseconds }: { milliseconds: number }): string {
  return `${milliseconds.toFixed(1)} ms`
}
