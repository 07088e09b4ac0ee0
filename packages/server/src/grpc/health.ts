import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { authorizationService } from './authorization.ts'
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from './generated/grpc/health/v1/health_pb.ts'
import type { GrpcCall } from './grpc-call.ts'
import type { StreamingMethod, UnaryMethod } from './grpc-method.ts'
import { GrpcFailure, grpcStatus } from './grpc-status.ts'
import { messageFrame } from './message-frame.ts'

/** The service that load balancers ask. */
export const healthService = 'grpc.health.v1.Health'

/** How often a watched status is compared. */
const watchIntervalMs = 1_000

/** Answers `grpc.health.v1.Health` for the server and for `Authorization`, with the readiness of the broker. */
export class Health {
  readonly #notReadyBecause: () => string | undefined
  readonly #watchers = new Map<GrpcCall, ServingStatus>()
  #interval: NodeJS.Timeout | undefined

  constructor(notReadyBecause: () => string | undefined) {
    this.#notReadyBecause = notReadyBecause
  }

  readonly check: UnaryMethod = {
    kind: 'unary',
    answer: message => {
      if (!isKnown(message))
        throw new GrpcFailure(grpcStatus.notFound, 'the service is not known', 'unknown_service')
      return statusFrame(this.#status())
    },
  }

  readonly watch: StreamingMethod = {
    kind: 'streaming',
    onMessage: (message, call) => {
      if (this.#watchers.has(call)) {
        throw new GrpcFailure(grpcStatus.invalidArgument, 'the method takes one message')
      }
      const status = isKnown(message) ? this.#status() : ServingStatus.SERVICE_UNKNOWN
      this.#watchers.set(call, status)
      call.send(statusFrame(status))
      this.#interval ??= setInterval(() => this.tell(), watchIntervalMs).unref()
      call.onClose(() => this.#forget(call))
    },
    onEnd: call => {
      if (!this.#watchers.has(call)) throw new GrpcFailure(grpcStatus.invalidArgument, 'there is no message')
    },
  }

  /** Tells every watcher whose status has changed. */
  tell(): void {
    const status = this.#status()
    for (const [call, told] of this.#watchers) {
      if (told === status || told === ServingStatus.SERVICE_UNKNOWN) continue
      this.#watchers.set(call, status)
      call.send(statusFrame(status))
    }
  }

  #status(): ServingStatus {
    return this.#notReadyBecause() === undefined ? ServingStatus.SERVING : ServingStatus.NOT_SERVING
  }

  #forget(call: GrpcCall): void {
    this.#watchers.delete(call)
    if (this.#watchers.size > 0) return
    clearInterval(this.#interval)
    this.#interval = undefined
  }
}

function isKnown(message: Buffer): boolean {
  try {
    const { service } = fromBinary(HealthCheckRequestSchema, message)
    return service === '' || service === authorizationService
  } catch {
    throw new GrpcFailure(grpcStatus.invalidArgument, 'the message is malformed')
  }
}

function statusFrame(status: ServingStatus): Buffer {
  return messageFrame(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status })))
}
