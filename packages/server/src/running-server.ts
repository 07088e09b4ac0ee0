import type { AddressInfo } from 'node:net'
import type { Config } from './config/config.ts'

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  /** Where Envoy reaches it, the first of several; its port is the real one when 0 was configured. */
  readonly checkAddress: AddressInfo
  /** Where Envoy reaches it over gRPC, the first of several; `undefined` when the gRPC listener is off. */
  readonly grpcAddress: AddressInfo | undefined
  /** `undefined` when the admin listener is off, or its default port was in use. */
  readonly adminAddress: AddressInfo | undefined
  /**
   * Puts another configuration into effect at once: tokens, circuits and key sets of what did not change are kept, and no check is
   * lost. The logger gets another `logLevel`. Addresses and the format of the log stay until the next start, with a warning.
   *
   * Throws a `TypeError` for wrong options of the broker and after `close`, and changes nothing.
   */
  reload(config: Config): void
  /** Stops gracefully within `shutdownTimeoutMs`; resolves with whether every running check was finished. */
  close(): Promise<boolean>
}
