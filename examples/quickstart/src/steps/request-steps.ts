import { caller } from '../dex.ts'
import { expectSame } from '../expectation.ts'
import { idTokenHeader } from '../header-names.ts'
import { credentials, reportOf, visit } from '../scene.ts'
import type { Step } from './step.ts'

export const putWithBody: Step = {
  name: 'PUT with a body',
  async run(scene) {
    const body = JSON.stringify({ state: 'x'.repeat(100_000) })
    const path = '/upload/a%20file?version=2'
    const seen = reportOf(await visit(scene, { method: 'PUT', path, headers: credentials(), body }))
    expectSame('method', seen.method, 'PUT')
    expectSame('path', seen.path, path)
    expectSame('bytes of the body', seen.bodyBytes, body.length)
    return `backend saw PUT ${seen.path} and all ${seen.bodyBytes} bytes`
  },
}

export const whatTheBackendSaw: Step = {
  name: 'what the backend saw',
  async run(scene) {
    const headers = { ...credentials({ scope: 'email' }), 'x-request-id': '42' }
    const seen = reportOf(await visit(scene, { path: '/seen', headers }))
    expectSame('subject', seen.subject, caller.id)
    expectSame('audience', seen.audience, [caller.id])
    expectSame('credential headers', seen.credentialHeaders, [])
    expectSame('x-request-id arrived', seen.headerNames.includes('x-request-id'), true)
    return `${seen.headerNames.join(', ')}: no credential header`
  },
}

export const forgedHeader: Step = {
  name: 'forged header',
  async run(scene) {
    const headers = { ...credentials(), [idTokenHeader]: 'not-from-dex' }
    const seen = reportOf(await visit(scene, { path: '/forged', headers }))
    expectSame(`${idTokenHeader} arrived`, seen.headerNames.includes(idTokenHeader), false)
    return `the client's own ${idTokenHeader} did not reach the backend`
  },
}
