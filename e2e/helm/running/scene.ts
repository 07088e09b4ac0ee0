import {
  type BrokerProcess,
  type EnvoyConfig,
  envoyBootstrap,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import type { ClientAnswer, ClientRequest } from '../../harness/client-request.ts'
import { ask } from '../../harness/client-request.ts'
import { type Dex, startDex } from '../../harness/dex.ts'
import { anyPorts, protocol } from '../../harness/protocol.ts'
import { type RecordingBackend, startBackend } from '../../harness/recording-backend.ts'
import { type Person, type StaffIssuer, startStaffIssuer } from '../../harness/staff-issuer.ts'
import { requireEnvoy } from '../../harness/with-envoy.ts'

/** The client of the broker, as the manifests name it. */
export const ownClient = { id: 'dex-client', secret: 'dex-client-secret', groups: ['gateways'] }
/** A caller with its own credentials. */
export const caller = { id: 'ci-pipeline', secret: 'ci-pipeline-secret' }
/** A client for which the client of the broker may have tokens. */
export const peer = { id: 'stock', secret: 'stock-secret', trustedPeers: [ownClient.id] }
/** The audience of the JWTs of people. */
export const audience = 'orders'

const engineer: Person = {
  userID: '1',
  email: 'ada@example.com',
  password: 'password',
  name: 'ada',
  groups: ['engineering'],
}

const seller: Person = { ...engineer, userID: '2', email: 'bob@example.com', name: 'bob', groups: ['sales'] }

/** Dex, a backend, and the issuer of people's JWTs. */
export interface Surroundings extends AsyncDisposable {
  readonly dex: Dex
  readonly backend: RecordingBackend
  readonly staff: StaffIssuer
  /** Of an engineer. */
  readonly jwt: string
  /** Its subject. */
  readonly subject: string
  /** Of somebody else. */
  readonly otherJwt: string
}

export async function startSurroundings(): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack()
  const dex = stack.use(await startDex({ clients: [ownClient, caller, peer] }))
  const backend = stack.use(await startBackend(dex))
  const staff = stack.use(await startStaffIssuer([engineer, seller]))
  const jwt = await staff.jwtOf(engineer)
  const otherJwt = await staff.jwtOf(seller)
  const resources = stack.move()
  const subject = staff.subjectOf(engineer)
  return {
    dex,
    backend,
    staff,
    jwt,
    subject,
    otherJwt,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** A broker behind Envoy. */
export interface Gateway extends AsyncDisposable {
  readonly broker: BrokerProcess
  /** Sends a request through Envoy. */
  ask(request: ClientRequest): Promise<ClientAnswer>
}

/** Runs the broker with these variables, behind an Envoy that asks it by the protocol of this project. */
export async function startGateway(
  env: Readonly<Record<string, string>>,
  { backend }: Surroundings,
  changeBrokerCluster: (cluster: EnvoyConfig) => void = () => {},
): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await startBroker(env, anyPorts))
  const bootstrap = envoyBootstrap({
    protocol,
    brokers: [broker],
    backendPort: backend.port,
    listeners: { ingress: () => {} },
    changeBrokerCluster,
  })
  const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  const resources = stack.move()
  return {
    broker,
    ask: request => ask(envoy.port('ingress'), { target: '/orders', ...request }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
