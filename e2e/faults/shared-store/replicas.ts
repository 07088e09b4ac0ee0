import { randomBytes } from 'node:crypto'
import { type DexClient, encodeDexSubject } from '@broker/dev-dex'
import { type BrokerProcess, MountedVolume, startBroker } from '@broker/testing'
import { type CheckAnswer, CheckClient, type CheckHeaders, claimsOf } from '../checks.ts'

/** Outcomes after which Envoy asks another broker, as in deploy/envoy. */
const retried: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])
const maxRetries = 2

export const scope = 'groups profile'

/** Clients of Dex with ids and secrets that are found nowhere by accident. */
export function storeClients(count: number): DexClient[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `client-of-the-store-${index}`,
    secret: `secret-of-the-store-${index}`,
  }))
}

/** The credentials of a client. */
export function headersOf({ id, secret = '' }: DexClient): CheckHeaders {
  return { 'x-client-id': id, 'x-client-secret': secret, 'x-scope': scope }
}

/** An answer, and the broker that gave it. */
export interface ReplicaAnswer extends CheckAnswer {
  /** The number of the broker. */
  readonly replica: number
}

interface Replica {
  readonly number: number
  readonly broker: BrokerProcess
  readonly client: CheckClient
}

/** Brokers with the same store, asked at random, and around one that is dead, as Envoy does. */
export class Replicas implements AsyncDisposable {
  /** All answers, in the order in which they arrived. */
  readonly answers: ReplicaAnswer[] = []
  readonly #environment: Readonly<Record<string, string>>
  readonly #volume = new MountedVolume({ keys: randomBytes(32).toString('base64') })
  readonly #stack = new AsyncDisposableStack()
  readonly #living: Replica[] = []
  #started = 0
  #retries = 0

  /** Starts brokers with these variables; without a URL, they have no store. */
  static async start(
    count: number,
    { url, ...environment }: Readonly<Record<string, string>> & { readonly url?: string },
  ): Promise<Replicas> {
    const replicas = new Replicas(url, environment)
    try {
      for (let number = 0; number < count; number++) await replicas.add()
      return replicas
    } catch (error) {
      await replicas[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(url: string | undefined, environment: Readonly<Record<string, string>>) {
    this.#stack.use(this.#volume)
    this.#environment = {
      ...(url && { SHARED_STORE_URL: url, SHARED_STORE_KEY_FILE: this.keyFile }),
      ...environment,
    }
  }

  get keyFile(): string {
    return this.#volume.file('keys')
  }

  /** How often a check was asked again, because its broker was gone. */
  get retries(): number {
    return this.#retries
  }

  get brokers(): readonly BrokerProcess[] {
    return this.#living.map(({ broker }) => broker)
  }

  /** Starts one more, with further variables. */
  async add(environment: Readonly<Record<string, string>> = {}): Promise<BrokerProcess> {
    const number = this.#started++
    const broker = this.#stack.use(await startBroker({ ...this.#environment, ...environment }))
    const client = this.#stack.use(new CheckClient(broker.port))
    this.#living.push({ number, broker, client })
    return broker
  }

  /** Ends one with SIGKILL. It is asked until its connections show that it is dead. */
  async kill(broker: BrokerProcess): Promise<void> {
    broker.process.signal('SIGKILL')
    await broker.process.ended()
    const index = this.#living.findIndex(replica => replica.broker === broker)
    this.#living.splice(index, 1)
  }

  /** The value of a metric, of all that run. */
  async metric(name: string): Promise<number> {
    const values = await Promise.all(this.brokers.map(broker => broker.metric(name)))
    return values.reduce((sum, value) => sum + value, 0)
  }

  /** Asks one of them at random. */
  async ask(headers: CheckHeaders): Promise<ReplicaAnswer> {
    const asked = new Set<Replica>()
    for (;;) {
      const others = this.#living.filter(replica => !asked.has(replica))
      const replica = others[Math.floor(Math.random() * others.length)] as Replica
      asked.add(replica)
      const answer = { ...(await replica.client.ask(headers)), replica: replica.number }
      if (retried.has(answer.outcome) && asked.size <= maxRetries) {
        this.#retries++
        continue
      }
      this.answers.push(answer)
      return answer
    }
  }

  /** Asks each one for each client, a few at a time, so that a load does not begin with a storm of token requests. */
  async warmUp(clients: readonly DexClient[]): Promise<void> {
    const waiting = clients.flatMap(client => this.#living.map(replica => ({ client, replica }))).values()
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const { client, replica } of waiting) {
          const answer = await replica.client.ask(headersOf(client))
          this.answers.push({ ...answer, replica: replica.number })
        }
      }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

/** The answers with another client's token. */
export function wrongTokens(answers: readonly CheckAnswer[]): CheckAnswer[] {
  return answers.filter(({ headers, token }) => {
    if (token === undefined) return false
    const { sub, aud } = claimsOf(token)
    const id = headers['x-client-id'] ?? ''
    return aud !== id || sub !== encodeDexSubject(id)
  })
}

/** The id of the key that signed a token. */
export function kidOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
}
