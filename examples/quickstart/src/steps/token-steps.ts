import { caller, peer } from '../dex.ts'
import { expectOther, expectSame } from '../expectation.ts'
import { idTokenHeader } from '../header-names.ts'
import { credentials, reportOf, visit } from '../scene.ts'
import type { Step } from './step.ts'

export const anotherScope: Step = {
  name: 'another scope',
  async run(scene) {
    const scope = 'openid profile'
    const plain = reportOf(await visit(scene, { headers: credentials() }))
    const made = await visit(scene, { path: '/scope', headers: credentials({ scope }) })
    const { tokenHash, idTokenOf } = reportOf(made)
    expectOther('token', tokenHash, plain.tokenHash)
    expectSame('token requests', made.tokenRequests, 1)
    expectSame(`ID token in ${idTokenHeader}`, idTokenOf, caller.id)
    return `"${scope}": another token, and the ID token in ${idTokenHeader}`
  },
}

export const anotherAudience: Step = {
  name: 'another audience',
  async run(scene) {
    const headers = credentials({ scope: `audience:server:client_id:${peer.id}` })
    const { audience } = reportOf(await visit(scene, { path: '/audience', headers }))
    expectSame('audience', audience, [peer.id, caller.id])
    return `backend saw audience ${audience.join(' and ')}`
  },
}
