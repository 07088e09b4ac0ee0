import {
  type ApiServer,
  type RealApiServer,
  startApiServerStandIn,
  startRealApiServer,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe } from 'vitest'

const { KUBE_APISERVER_BIN: apiServer = '', ETCD_BIN: etcd = '' } = process.env

/** Runs tests for the stand-in, and for a real kube-apiserver where there is one. */
export function describeClusters(name: string, tests: (start: () => Promise<ApiServer>) => void): void {
  describe(`${name}, recorded answers`, () => tests(startApiServerStandIn))
  describeRealCluster(name, tests)
}

/** Runs tests for a real kube-apiserver where there is one; all of them share it. */
export function describeRealCluster(
  name: string,
  tests: (start: () => Promise<RealApiServer>) => void,
): void {
  const options = needs({ KUBE_APISERVER_BIN: apiServer !== '', ETCD_BIN: etcd !== '' })
  describe(`${name}, a real kube-apiserver`, options, () => {
    let server: RealApiServer
    beforeAll(async () => {
      server = await startRealApiServer({ apiServer, etcd })
    }, 60_000)
    afterAll(() => server?.[Symbol.asyncDispose]())
    tests(async () => ({ ...server, [Symbol.asyncDispose]: async () => {} }))
  })
}
