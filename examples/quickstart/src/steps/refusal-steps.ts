import { expectSame } from '../expectation.ts'
import { credentials, expectRefusal, visit } from '../scene.ts'
import type { Step } from './step.ts'

const headers = credentials({ secret: 'wrong-secret' })
const repetitions = 20

export const wrongSecret: Step = {
  name: 'wrong secret',
  async run(scene) {
    const made = await visit(scene, { path: '/wrong-secret', headers })
    const challenge = expectRefusal(made)
    expectSame('token requests', made.tokenRequests, 1)
    return `401, WWW-Authenticate: ${challenge}, backend not reached`
  },
}

export const wrongSecretAgain: Step = {
  name: `the same ${repetitions} times`,
  async run(scene) {
    let tokenRequests = 0
    for (let count = 0; count < repetitions; count += 1) {
      const made = await visit(scene, { path: '/wrong-secret', headers })
      expectRefusal(made)
      tokenRequests += made.tokenRequests
    }
    expectSame('token requests', tokenRequests, 0)
    return `401 each time, no token request: Dex is not bothered again`
  },
}

export const dotSegments: Step = {
  name: 'dot segments',
  async run(scene) {
    const path = '/x/../../healthz'
    expectRefusal(await visit(scene, { path }))
    return `GET ${path} without credentials: 401, backend not reached`
  },
}
