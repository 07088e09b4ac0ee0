/** What stands between the clients and the backend and asks the broker about every request. */
export interface Gateway {
  /** Where clients reach it. */
  readonly url: string
  /** What it is, in a few words. */
  readonly description: string
  close(): Promise<void>
}

/** What a gateway needs to know. */
export interface GatewayOptions {
  /** Port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** The broker's check listener, without the path. */
  readonly brokerUrl: string
  readonly backendUrl: string
}
