import type { MaybePromise } from '@broker/core'
import type { GrpcCall } from './grpc-call.ts'

/** A method with one message in each direction. */
export interface UnaryMethod {
  readonly kind: 'unary'
  /** Returns the answer with its prefix. A `GrpcFailure` is the caller's; any other error becomes INTERNAL. */
  answer(message: Buffer, call: GrpcCall): MaybePromise<Uint8Array>
}

/** A method that answers by itself, as often as it likes. */
export interface StreamingMethod {
  readonly kind: 'streaming'
  /** Called for each message. */
  onMessage(message: Buffer, call: GrpcCall): void
  /** Called when the caller has sent its last message. */
  onEnd(call: GrpcCall): void
}

export type GrpcMethod = UnaryMethod | StreamingMethod

/** Methods by their path: `/package.Service/Method`. */
export type GrpcMethods = ReadonlyMap<string, GrpcMethod>
